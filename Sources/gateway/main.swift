CommandLineMain.run()
