"""EchoServer in a process of its own, which can be killed, stopped and started again on its port.

As a program: python echo_process.py PORT, prints the port once it serves.
"""
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class EchoProcess:
    def __init__(self, port=0):
        self.port = port
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "echo_process.py"), str(self.port)],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.target = f"127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.kill()


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(HERE))
    from support.echo_server import EchoServer
    server = EchoServer(port=int(sys.argv[1]))
    print(server.port, flush=True)
    server.server.wait_for_termination()
