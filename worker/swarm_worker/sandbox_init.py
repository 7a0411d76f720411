"""The first process in a sandbox: `python -I -S init.py PORT COMMAND…`.

It runs the command, tells it of SIGTERM, and ends with it; then the kernel ends everything that is left in the sandbox.
What connects to PORT on loopback is passed on to the relay outside, which decides where that goes. Port 0 is none.
"""

import os
import signal
import socket
import sys
import threading

RELAY = "/run/swarm/relay"
HOSTS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
CHUNK = 65_536


def main(port: str, *command: str) -> int:
    """The exit code of the command; 128 and the signal's number if it was killed."""
    signal.signal(signal.SIGTERM, _tell_all)
    listeners = [_listen(family, host, int(port)) for family, host in HOSTS] if port != "0" else []
    child = os.fork()
    if child == 0:
        _become(command)
    _close_all_but({listener.fileno() for listener in listeners if listener})
    for listener in filter(None, listeners):
        threading.Thread(target=_serve, args=[listener], daemon=True).start()
    return _wait(child)


def _tell_all(number: int, _frame: object) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        pass  # there is nobody yet


def _become(command: tuple[str, ...]) -> None:
    os.setpgid(0, 0)  # our group is told from outside, and the command is to hear it once
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  # becoming the command is the purpose
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _wait(child: int) -> int:
    """Until the command ends; orphans of the sandbox are reaped on the way."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _close_all_but(ours: set[int]) -> None:
    """What was handed to the command, as a key, is not for whoever gets into this process."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # importing pathlib would delay the command
        if int(name) > 2 and int(name) not in ours:
            try:
                os.close(int(name))
            except OSError:
                pass  # the one that listed them


def _listen(family: int, host: str, port: int) -> socket.socket | None:
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        return None  # without IPv6
    return listener


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_pass_on, args=[connection], daemon=True).start()


def _pass_on(connection: socket.socket) -> None:
    relay = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with connection, relay:
        try:
            relay.connect(RELAY)
        except OSError:
            return
        back = threading.Thread(target=_pump, args=[relay, connection], daemon=True)
        back.start()
        _pump(connection, relay)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):  # neither waits for the other any more
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
