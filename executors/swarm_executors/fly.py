"""Workers as ephemeral machines of Fly.io: one for each agent, gone when it ends.

What is known of the Machines API: https://fly.io/docs/machines/api/ and its OpenAPI document; its limits are
https://fly.io/docs/machines/api/working-with-machines-api/#rate-limits.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from swarm_executors.bucket import Bucket
from swarm_executors.calls import Calls, Patience
from swarm_executors.fly_errors import Exists, HostFull, judge
from swarm_executors.fly_listing import Listing
from swarm_executors.fly_logs import last_line
from swarm_executors.fly_machines import AGENT, HUB, RUNS, FlyApp, handle_of, observe, request
from swarm_executors.protocol import (
    Ambiguous,
    ExecutorError,
    Gone,
    Handle,
    Launch,
    NoCapacity,
    Observation,
    Refused,
    Shut,
    StartFailed,
    Throttled,
)

A_SECOND = (0.95, 3)  # calls a second and at once: Fly's limit for each kind, less what may come too early on its way
LONGEST_WAIT = 60  # seconds; Fly refuses to hold an answer longer
OTHER_HOSTS = 2  # more tries in a region where the host that Fly chose is full
GIVE_UP = 45.0  # seconds after its grace within which a machine that is stopped must be gone


class FlyExecutor:
    name = "fly"

    def __init__(
        self, app: FlyApp, patience: Patience | None = None, poll_every: float = 5.0,
        limit: tuple[float, int] = A_SECOND,
    ) -> None:  # fmt: skip
        """`limit`: of creates, and of lists: calls a second, and at once."""
        self.region: str | None = app.regions[0]
        self.poll_every = poll_every
        self._app = app
        self._calls = Calls(httpx.AsyncClient(base_url=app.api_url), judge, self._headers, patience or Patience())
        self._machines = f"/v1/apps/{app.app}/machines"
        self._creates, self._lists, self._gets = Bucket(*limit), Bucket(*limit), Bucket(5 * limit[0], 3 * limit[1])
        self._listing = Listing(self._list, poll_every)

    async def start(self, launch: Launch) -> Handle:
        if not launch.first and (known := await self._known(launch)) is not None:
            return known
        full: NoCapacity | None = None
        for region in self._app.regions:
            try:
                return await self._create(launch, region)
            except NoCapacity as error:
                full = error
        raise NoCapacity(f"{launch.agent_id} finds no room in {', '.join(self._app.regions)}: {full}") from full

    async def poll(self, handle: Handle) -> Observation:
        try:
            if await self._listing.runs(handle["hub"], handle["machineId"]):
                return Observation("alive")
            machine = await self._get(handle)
            seen = observe(machine, await self._events(machine))
        except Gone:
            return Observation("lost", detail="Fly knows nothing of its machine")
        except ExecutorError as error:
            return Observation("unknown", detail=str(error))
        return await self._with_last_words(handle, seen)

    async def stop(self, handle: Handle, grace: float) -> None:
        self._listing.forget()
        path = self._path(handle)
        asked = {"signal": "SIGTERM", "timeout": f"{math.ceil(grace * 1000)}ms"}
        try:
            await self._calls.steadily("POST", f"{path}/stop", json=asked)
            if not await self._has_gone(path, grace):
                await self._calls.steadily("DELETE", path, params={"force": "true"})
                await self._until_gone(handle, path)
        except Gone:
            return
        finally:
            self._listing.forget()

    async def list(self, hub_id: str) -> Sequence[Handle]:
        machines = await self._list(hub_id)
        return [handle for each in machines if each.get("state") in RUNS and (handle := handle_of(each, self._app.app))]

    async def ready(self) -> str:
        """What keeps workers from being started there; nothing, when all is well."""
        try:
            await self._calls.steadily("GET", f"/v1/apps/{self._app.app}")
        except Gone:
            return f"there is no app {self._app.app} on Fly, or the token does not open it"
        except ExecutorError as error:
            return str(error)
        return ""

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _create(self, launch: Launch, region: str) -> Handle:
        for _ in range(OTHER_HOSTS):
            try:
                return await self._create_once(launch, region)
            except HostFull:
                continue
        return await self._create_once(launch, region)

    async def _create_once(self, launch: Launch, region: str) -> Handle:
        """Asked again as long as nothing is known of it: its name sees to it that there is one."""
        body = request(launch, self._app, region)
        try:
            machine = await self._calls.steadily("POST", self._machines, json=body, bucket=self._creates)
        except Exists as exists:
            machine = await self._adopt(launch, exists.machine_id)
        except Gone as gone:
            raise Shut(f"{launch.agent_id} cannot be started: {gone}") from gone
        except Refused as refused:
            raise StartFailed(f"{launch.agent_id} cannot be started: {refused}") from refused
        self._listing.forget()
        return self._handle(launch, machine)

    async def _adopt(self, launch: Launch, machine_id: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = await self._calls.steadily("GET", f"{self._machines}/{machine_id}")
        except Gone as gone:  # too new to be seen, or destroyed meanwhile: the next call will tell
            raise Ambiguous(f"{launch.agent_id} has a machine that is not to be seen: {gone}") from gone
        return found

    def _handle(self, launch: Launch, machine: Mapping[str, Any]) -> Handle:
        handle = handle_of(machine, self._app.app)
        if handle is None or (handle["agentId"], handle["hub"]) != (launch.agent_id, launch.hub_id):
            raise StartFailed(f"{launch.agent_id}: a machine of its name is somebody else's: {machine.get('id')}")
        return handle

    async def _known(self, launch: Launch) -> Handle | None:
        """The newest machine that the agent ever had."""
        wanted = {f"metadata.{HUB}": launch.hub_id, f"metadata.{AGENT}": launch.agent_id, "include_deleted": "true"}
        found = await self._calls.steadily("GET", self._machines, params=wanted, bucket=self._lists)
        newest = max(found, key=lambda machine: machine.get("created_at", ""), default=None)
        return handle_of(newest, self._app.app) if newest else None

    async def _list(self, hub_id: str) -> Sequence[Mapping[str, Any]]:
        wanted = {f"metadata.{HUB}": hub_id}
        found: Sequence[Mapping[str, Any]] = await self._calls.steadily(
            "GET", self._machines, params=wanted, bucket=self._lists
        )
        return found

    async def _get(self, handle: Handle) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._calls.steadily("GET", self._path(handle), bucket=self._gets)
        return found

    async def _events(self, machine: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """They come with the machine, unless there were many."""
        if machine.get("state") in RUNS or any(each.get("type") == "exit" for each in machine.get("events") or ()):
            return machine.get("events") or ()
        path, most = f"{self._machines}/{machine['id']}/events", {"limit": 50}
        found: Sequence[Mapping[str, Any]] = await self._calls.steadily("GET", path, params=most, bucket=self._gets)
        return found

    async def _has_gone(self, path: str, grace: float) -> bool:
        """Whether the machine is destroyed within the time; Fly holds its answer until then."""
        seconds = min(LONGEST_WAIT, max(1, math.ceil(grace)))
        wait = {"state": "destroyed", "timeout": seconds}
        try:
            await self._calls.once("GET", f"{path}/wait", params=wait, patience=seconds + self._calls.patience.timeout)
        except (Ambiguous, Throttled):
            return False
        return True

    async def _until_gone(self, handle: Handle, path: str) -> None:
        try:
            async with asyncio.timeout(GIVE_UP):
                while not await self._has_gone(path, 1):
                    pass
        except TimeoutError as error:
            raise ExecutorError(f"the machine {handle['machineId']} does not go") from error

    async def _with_last_words(self, handle: Handle, seen: Observation) -> Observation:
        """What the machine's log ends with, where a worker died without a word."""
        if seen.state not in ("exited", "lost") or seen.exit_code == 0:
            return seen
        words = await last_line(self._app, handle["machineId"], self._calls.patience.timeout)
        detail = f"{seen.detail}: {words}" if seen.detail and words else seen.detail or words
        return Observation(seen.state, seen.exit_code, detail, seen.cause)

    def _path(self, handle: Handle) -> str:
        return f"/v1/apps/{handle['app']}/machines/{handle['machineId']}"

    async def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self._app.authorization}
