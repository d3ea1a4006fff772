"""Who a stream of a real worker talks to, and a sink for its events."""

import asyncio
from typing import TypeVar

from ringfence.channels.media import rtp
from ringfence.channels.media.plane import Codec, MediaEvent, Remote
from ringfence.channels.network import Address

HOST = "127.0.0.1"
VOICE = bytes(range(160))
E = TypeVar("E", bound=MediaEvent)


class Heard:
    """A sink whose events can be waited for, one after the other."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[MediaEvent] = asyncio.Queue()

    def __call__(self, event: MediaEvent) -> None:
        self.events.put_nowait(event)

    async def until(self, kind: type[E]) -> E:
        """Return the next event of `kind`, and drop those before it."""
        async with asyncio.timeout(10):
            while not isinstance(event := await self.events.get(), kind):
                pass
            return event


class Phone(asyncio.DatagramProtocol):
    """A far end: a socket that keeps what it got."""

    def __init__(self) -> None:
        self.packets: asyncio.Queue[rtp.Packet] = asyncio.Queue()
        self.control: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.sequence = 0

    @classmethod
    async def bound(cls) -> "Phone":
        phone = cls()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: phone, (HOST, 0))
        return phone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]  # of a datagram socket
        self.address = Address(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = rtp.parse(data)
        if packet is None:
            self.control.put_nowait((data, addr))
            return
        self.packets.put_nowait(packet)

    def remote(self, codec: Codec = Codec.PCMA, dtmf_payload: int | None = 101) -> Remote:
        return Remote(self.address, HOST, codec, dtmf_payload=dtmf_payload)

    def say(self, to: Address, payload: bytes = VOICE, payload_type: int = 8) -> None:
        self.sequence += 1
        data = rtp.build(payload_type, self.sequence, self.sequence * 160, 77, payload)
        self.transport.sendto(data, (to.host, to.port))

    async def got(self) -> rtp.Packet:
        async with asyncio.timeout(10):
            return await self.packets.get()
