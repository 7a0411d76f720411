"""The process that has DuckDB in it: `python -m swarm_hub.analytics.program FOLDER DATABASE TIME_ZONE`.

A line of JSON on standard input is a request, one on standard output an answer; their `id` says which is whose. It ends
with its input. Whatever a question does to this process, the hub starts another.
"""

import json
import logging
import os
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import duckdb

from swarm_hub.analytics.answers import Wish, answer
from swarm_hub.analytics.figures import Asked, figures
from swarm_hub.analytics.files import discard
from swarm_hub.analytics.follower import Follower
from swarm_hub.analytics.projection import Projection
from swarm_hub.analytics.running import Failed, Running
from swarm_hub.analytics.selects import Refused
from swarm_hub.analytics.source import NotOurs
from swarm_hub.archive.parts import FOLDER as ARCHIVE

log = logging.getLogger("analytics")

QUESTIONS, FIGURES = 4, 1  # as many of each are worked on at once
CATCH_UP = 5.0  # seconds that a request waits for what was committed before it
LOOK_AGAIN = 0.05  # seconds between two looks at what runs
ROOM = 400 * 1024 * 1024  # bytes of address space beyond what the process begins with
NICE = 5  # the hub goes first
NICER = 19  # and questions after the figures that its pages show
BROKEN = 3  # exit code: the projection was thrown away

Request = dict[str, Any]
Answered = dict[str, Any]


class Program:
    def __init__(self, folder: Path, database: Path, time_zone: str, output: BinaryIO) -> None:
        self._folder = folder
        self._output = output
        self._writing = threading.Lock()
        self._running: dict[int, Running] = {}
        self._projection = Projection.open(folder, time_zone, database.parent / ARCHIVE)
        self._follower = Follower(self._projection, database, ZoneInfo(time_zone), self._give_up)
        self._threads = {
            "query": ThreadPoolExecutor(QUESTIONS, "question", _give_way),
            "figures": ThreadPoolExecutor(FIGURES, "figures"),
        }

    def run(self, requests: BinaryIO) -> None:
        """Until there are no more requests: whoever is still worked on is left."""
        self._follower.start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        for line in requests:
            request = json.loads(line)
            if "stop" in request:
                if running := self._running.get(request["stop"]):
                    running.stop("stopped")
                continue
            path = self._projection.answers / str(request["id"])
            running = self._running[request["id"]] = Running(self._projection.connection(), path, request["seconds"])
            self._threads[request["do"]].submit(self._serve, request, running)

    def _serve(self, request: Request, running: Running) -> None:
        try:
            said: Answered = self._work(request, running)
        except Failed as failed:
            said = {"code": failed.code, "detail": str(failed)}
        except (duckdb.FatalException, duckdb.InternalException) as error:
            log.exception("DuckDB failed")
            said = {"code": "query_failed", "detail": f"DuckDB failed: {_first_line(error)}"}
            self._tell({"id": request["id"], **said})
            os._exit(1)  # what is left of it is not to be trusted; the projection itself is safe
        except Exception as error:
            log.exception("a request failed")
            said = {"code": "internal", "detail": type(error).__name__}
        finally:
            running.connection.close()
            del self._running[request["id"]]
        if "code" in said:
            running.path.unlink(missing_ok=True)
        self._tell({"id": request["id"], **said})

    def _work(self, request: Request, running: Running) -> Answered:
        if not self._follower.catch_up(min(CATCH_UP, request["seconds"])):
            raise Failed("catching_up", f"it is taking in what there is; it has come to event {self._seq:,}")
        try:
            said = self._do(request, running)
        except Refused as refused:
            raise Failed("query_refused", str(refused)) from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise Failed("query_out_of_memory", "it needs more memory than a question may have") from None
        except (duckdb.FatalException, duckdb.InternalException):
            raise
        except Exception as error:  # nanoarrow has kinds of its own for what DuckDB told it
            if running.stopped:
                raise running.failure() from None
            if "Out of Memory" in str(error):
                raise Failed("query_out_of_memory", "it needs more memory than a question may have") from None
            if isinstance(error, (duckdb.IOException, duckdb.PermissionException)):
                raise Failed("query_refused", "it would read or write a file") from None  # their texts name paths
            if not isinstance(error, duckdb.Error):
                raise
            raise Failed("query_invalid", _first_line(error)) from None
        if running.stopped:
            raise running.failure()
        return said

    def _do(self, request: Request, running: Running) -> Answered:
        if request["do"] == "figures":
            seq, asked = self._seq, Asked(request["period"], request["previous"], request["steps"])
            return {**figures(running.connection, asked), "seq": seq}
        wish = Wish(request["sql"], request["parameters"], request["limit"], request["format"])
        found = answer(running.connection, wish, running.path, self._seq)
        return {"rows": found.rows, "truncated": found.truncated, "file": found.path.name, "seq": self._seq}

    @property
    def _seq(self) -> int:
        return self._projection.cursor.seq

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_AGAIN)
            for running in tuple(self._running.values()):
                with suppress(duckdb.Error):  # it has ended meanwhile
                    running.look()

    def _tell(self, said: Answered) -> None:
        with self._writing:
            self._output.write(json.dumps(said).encode() + b"\n")
            self._output.flush()

    def _give_up(self, error: Exception) -> None:
        """Nothing new can be taken in: the projection is thrown away, as it may be, and made again by the next run."""
        if isinstance(error, (duckdb.Error, NotOurs)):
            log.error("the projection cannot be continued: %s", error)
            discard(self._folder)
            os._exit(BROKEN)
        log.error("the hub's database cannot be read", exc_info=error)
        os._exit(1)


def _first_line(error: Exception) -> str:
    """Without the excerpt below it, which shows the question inside another."""
    return str(error).splitlines()[0]


def _give_way() -> None:
    """What this thread does, others do first. Linux has a priority for each thread; elsewhere all are alike."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICER)


def _limit() -> None:
    """DuckDB counts its buffers and not its strings: one `repeat` took 14 GB under a limit of 128 MB.

    What the system refuses is an OutOfMemoryException of DuckDB's, so that the question ends and the process does not.
    """
    os.nice(NICE)
    with suppress(OSError, ValueError):  # macOS has no such limit; there the hub ends a process that is too large
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    folder, database, time_zone = sys.argv[1:]
    logging.basicConfig(format="%(message)s")
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed is no answer
    program = Program(Path(folder), Path(database), time_zone, output)
    _limit()
    program.run(sys.stdin.buffer)
    os._exit(0)


if __name__ == "__main__":
    main()
