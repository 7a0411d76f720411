import time
from gateway.conftest import play
from hub.played import PlayedHub, played_hub
from swarm_api.worker import LogReport, UsageReport

async def test_smoke(tmp_path):
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running(labels={"team": "a"}, type="docs")
        await worker.report(LogReport(stream="tool", text="x", at_ms=1_700_000_000_000, data={"tool": "Bash", "toolUseId": "u1"}), LogReport(stream="tool", text="x", at_ms=1_700_000_000_900, data={"toolUseId": "u1", "isError": False}), UsageReport(model="m", input=3, cost_micro_usd=77))
        for q in ["select * from tasks", "select * from agents", "select * from usage","select * from events","select * from tool_calls","select * from log_volume","select * from labels","select * from spending","select * from projection","select 1 a, 2 a, 'nan'::double, now()", "select $1::int + $2::int", "selec", "select * from x"]:
            t=time.perf_counter()
            r = await hub.post("/api/query", {"sql": q, "params": [1,2] if "$1" in q else None})
            print(round(time.perf_counter()-t,3), r.status_code, r.text[:1200])
        for kind in ("text/csv","application/vnd.apache.arrow.stream","application/vnd.apache.parquet"):
            r = await hub.post("/api/query", {"sql": "select *, status, status as \"Sta\"\"tus\" from tasks"}, Accept=kind)
            print(r.status_code, r.headers, r.content[:300])
        await worker.finish()
        t=time.perf_counter()
        r = await hub.get("/api/metrics?period=week"); print(time.perf_counter()-t, r.status_code, r.text)
        r = await hub.get("/health"); print(r.text)
        print((await hub.post("/api/analytics/rebuild")).status_code)
        r = await hub.post("/api/query", {"sql": "select count(*) from tasks"}); print(r.text)
        r = await hub.post("/api/query", {"sql": "select count(*) from tasks"}); print(r.text)
