"""sdtool notify FILE COMMAND...: runs the command with NOTIFY_SOCKET set and writes what it is told to the file, a line a message.
sdtool activate PORTFILE COMMAND...: runs the command with a listening socket of a free port of loopback passed as systemd does."""
import os
import socket
import subprocess
import sys


def notify(path, command):
    place = path + ".socket"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(place)
    child = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=place))
    print(child.pid, flush=True)
    listener.settimeout(0.1)
    with open(path, "w") as out:
        while True:
            over = child.poll() is not None
            try:
                out.write(listener.recv(4096).decode() + "\n")
                out.flush()
            except socket.timeout:
                if over:
                    return child.returncode


def activate(path, command):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    with open(path + ".new", "w") as out:
        out.write(str(listener.getsockname()[1]))
    os.rename(path + ".new", path)
    number = listener.detach()
    if number != 3:
        os.dup2(number, 3)
        os.close(number)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="tuxtape")
    os.execv(command[0], command)


sys.exit({"notify": notify, "activate": activate}[sys.argv[1]](sys.argv[2], sys.argv[3:]))
