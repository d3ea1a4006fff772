"""How long it takes to read an INVITE and build its 200, in microseconds; run as a script, aim below 60."""

from __future__ import annotations

import statistics
import time

from ringfence.server.sip.message import Request
from ringfence.server.sip.parser import parse
from ringfence.server.sip.validate import check

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)
HEAD = (
    "INVITE sip:9900@192.0.2.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK-{serial}-1;rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Anna Huber" <sip:100@musterfirma.example>;tag=a{serial}\r\n'
    "To: <sip:9900@musterfirma.example>\r\n"
    "Call-ID: {serial}@192.0.2.7\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:100@192.0.2.7:5060>\r\n"
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
    "Supported: replaces, timer\r\n"
    "User-Agent: bench\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: {length}\r\n\r\n"
)
ROUNDS = 7
MESSAGES = 2000


def read_and_answer(data: bytes, *, strict: bool) -> bytes:
    """Do what the transaction layer does with each new INVITE."""
    request = parse(data)
    if not isinstance(request, Request):
        raise TypeError("the bench message is not a request")
    if strict:
        check(request)
    _ = request.via, request.from_, request.to, request.call_id, request.cseq
    response = request.respond(200, to_tag="b1")
    response.add("contact", "<sip:192.0.2.1:5060>")
    response.add("content-type", "application/sdp")
    response.body = SDP
    return response.to_bytes()


def measure(*, strict: bool) -> float:
    """Give the median of a few rounds over messages that all differ, in microseconds a message."""
    rounds = []
    for turn in range(ROUNDS):
        messages = [
            HEAD.format(serial=turn * MESSAGES + i, length=len(SDP)).encode() + SDP for i in range(MESSAGES)
        ]
        begin = time.perf_counter()
        for data in messages:
            read_and_answer(data, strict=strict)
        rounds.append((time.perf_counter() - begin) / MESSAGES * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    print(f"parse, read, respond: {measure(strict=False):.1f} us")
    print(f"with the strict check: {measure(strict=True):.1f} us")
