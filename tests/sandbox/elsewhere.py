"""A model's API that is on the internet: by TLS, under a name nobody resolves, behind the proxy of a company."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NAME = "model.test"
NOW = datetime.datetime.now(datetime.UTC)


@dataclass
class Elsewhere:
    """`asked` are the first lines of what the company's proxy was asked."""

    url: str
    proxy: str
    authority: Path
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def elsewhere(api_url: str, folder: Path) -> AsyncIterator[Elsewhere]:
    """The API at `api_url` as one that is elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    to_api = _passing(urlsplit(api_url).port or 0)
    async with await asyncio.start_server(to_api, "127.0.0.1", 0, ssl=context) as tls:
        made = Elsewhere(f"https://{NAME}", "", folder / "authority.pem")
        to_tls = _passing(tls.sockets[0].getsockname()[1])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            made.asked.append(head.decode().splitlines()[0])
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await to_tls(reader, writer)

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
            made.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            yield made


def _passing(port: int) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            await asyncio.gather(_pump(reader, ours), _pump(theirs, writer))
        for each in (ours, writer):
            each.close()

    return serve


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65_536):
        sink.write(chunk)
        await sink.drain()
    sink.close()


def _certificate(folder: Path) -> Path:
    """A file with key and certificate; the certificate is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = (
        builder.not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    (folder / "authority.pem").write_bytes(certificate)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + certificate)
    return folder / "server.pem"
