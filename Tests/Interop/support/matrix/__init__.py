"""The matrix of protocols, codecs, transports, kinds of call, codings and outcomes: its axes, its server, its clients."""
