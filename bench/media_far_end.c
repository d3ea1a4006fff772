/* The far end of many RTP streams, for media.py: a generator and a sink of G.711, 50 packets a second each way.
 *
 * media_far_end COUNT SECONDS echo|own SOUND
 *
 * It prints the ports of its COUNT sockets, reads as many ports to send to, and sends for SECONDS, in slices of 1 ms. What
 * it says is the file SOUND, of bytes of A-law, over and over; the last bits of 16 of them are the number of the frame.
 * The kernel stamps what arrives, so that a late reader makes no packet late. With `echo` a packet that comes back is
 * late by the time since it was sent; with `own` one is late against the earliest of its stream, by its RTP timestamp.
 * At the end it prints: sent, received, judged, missing, late (over 10 ms), the worst in ms, how many of its own were
 * sent late (over 10 ms), and its CPU seconds. The first half second is not judged. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <float.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { PTIME_MS = 20, LATE_MS = 10, SETTLE = 25, GRACE_MS = 200, HEAD = 12, PAYLOAD = 160, AT_ONCE = 512, BITS = 16 };

struct stream {
    int fd;
    int first, last, frames; /* own: sequence numbers and packets, judged; echo: packets that came back */
    uint32_t stamp;
    double *times; /* echo: when each frame was sent; own: how late each packet was against the first, in ms */
};

static double now_ms(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

static double used_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int receive(int fd, unsigned char *data, double *arrived)
{
    char control[128];
    struct iovec part = {data, 2048};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int size = recvmsg(fd, &head, MSG_DONTWAIT);
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&head); size > 0 && one; one = CMSG_NXTHDR(&head, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(one), sizeof at);
            *arrived = at.tv_sec * 1e3 + at.tv_nsec / 1e6;
        }
    return size;
}

static void number(unsigned char *payload, int frame)
{
    for (int bit = 0; bit < BITS; bit++)
        payload[bit] = (payload[bit] & ~1) | (frame >> bit & 1);
}

static int numbered(const unsigned char *payload)
{
    int frame = 0;
    for (int bit = 0; bit < BITS; bit++)
        frame |= (payload[bit] & 1) << bit;
    return frame;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    FILE *file = fopen(argv[4], "rb");
    static unsigned char sound[1 << 20];
    long said = file ? fread(sound, 1, sizeof sound, file) / PAYLOAD : 0;
    if (!said)
        fail(argv[4]);
    int count = atoi(argv[1]), echo = !strcmp(argv[3], "echo"), yes = 1;
    int frames = atof(argv[2]) * 1000 / PTIME_MS, most = 2 * frames + 100;
    struct stream *streams = calloc(count, sizeof *streams);
    int events = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof own;
        struct stream *it = &streams[i];
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = it};
        it->fd = socket(AF_INET, SOCK_DGRAM, 0);
        it->times = calloc(most, sizeof *it->times);
        if (it->fd < 0 || bind(it->fd, (struct sockaddr *)&own, sizeof own) || !it->times)
            fail("socket");
        setsockopt(it->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
        getsockname(it->fd, (struct sockaddr *)&own, &size);
        epoll_ctl(events, EPOLL_CTL_ADD, it->fd, &wanted);
        printf("%d ", ntohs(own.sin_port));
    }
    puts("");
    fflush(stdout);
    for (int i = 0, port; i < count; i++) {
        if (scanf("%d", &port) != 1)
            return 1;
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        to.sin_port = htons(port);
        if (connect(streams[i].fd, (struct sockaddr *)&to, sizeof to)) /* what others send is not heard */
            fail("connect");
    }

    unsigned char data[2048], packet[HEAD + PAYLOAD] = {0x80, 8};
    double arrived = 0, cpu_s = used_s();
    for (int i = 0; i < count; i++) /* what came before the start */
        while (receive(streams[i].fd, data, &arrived) > 0)
            ;
    long sent = 0, received = 0, judged = 0, missing = 0, late = 0, own_late = 0;
    double worst = 0, began = now_ms(CLOCK_MONOTONIC), ends = began + frames * PTIME_MS;
    double settled = now_ms(CLOCK_REALTIME) + SETTLE * PTIME_MS;
    long next = 0, all = (long)frames * count;
    while (next < all || now_ms(CLOCK_MONOTONIC) < ends + GRACE_MS) {
        double at = now_ms(CLOCK_MONOTONIC);
        for (double due; next < all && (due = began + next * (double)PTIME_MS / count) <= at; next++) {
            int frame = next / count;
            struct stream *it = &streams[next % count];
            uint16_t sequence = htons(frame);
            uint32_t stamp = htonl(frame * 8 * PTIME_MS), ssrc = htonl(next % count);
            memcpy(packet + 2, &sequence, 2);
            memcpy(packet + 4, &stamp, 4);
            memcpy(packet + 8, &ssrc, 4);
            memcpy(packet + HEAD, sound + (frame + next % count * 7) % said * PAYLOAD, PAYLOAD);
            number(packet + HEAD, frame);
            if (echo)
                it->times[frame] = now_ms(CLOCK_REALTIME);
            own_late += at - due > LATE_MS;
            sent += send(it->fd, packet, sizeof packet, 0) > 0;
        }
        struct epoll_event ready[AT_ONCE];
        for (int found; (found = epoll_wait(events, ready, AT_ONCE, 0)) > 0;)
            for (int i = 0; i < found; i++) {
                struct stream *it = ready[i].data.ptr;
                if (receive(it->fd, data, &arrived) < HEAD + BITS)
                    continue;
                received++;
                if (echo) {
                    int frame = numbered(data + HEAD);
                    if (frame < SETTLE || frame >= frames)
                        continue;
                    double delay = arrived - it->times[frame];
                    it->frames++;
                    late += delay > LATE_MS;
                    worst = delay > worst ? delay : worst;
                } else if (arrived >= settled && it->frames < most) {
                    uint32_t stamp;
                    int sequence = data[2] << 8 | data[3];
                    memcpy(&stamp, data + 4, 4);
                    if (!it->frames)
                        it->stamp = ntohl(stamp), it->first = sequence;
                    it->last = it->frames && (uint16_t)(sequence - it->last) > 0x8000 ? it->last : sequence;
                    it->times[it->frames++] = arrived - settled - (int32_t)(ntohl(stamp) - it->stamp) / 8.0;
                }
            }
        double until = now_ms(CLOCK_MONOTONIC) + 1;
        struct timespec nap = {until / 1e3, (until - (long)(until / 1e3) * 1e3) * 1e6};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &nap, NULL);
    }
    for (int i = 0; i < count; i++) {
        struct stream *it = &streams[i];
        double best = DBL_MAX;
        for (int frame = 0; !echo && frame < it->frames; frame++)
            best = it->times[frame] < best ? it->times[frame] : best;
        for (int frame = 0; !echo && frame < it->frames; frame++) {
            double behind = it->times[frame] - best;
            late += behind > LATE_MS;
            worst = behind > worst ? behind : worst;
        }
        long expected = echo ? frames - SETTLE : it->frames ? (uint16_t)(it->last - it->first) + 1 : frames - SETTLE;
        judged += expected;
        missing += expected - it->frames;
    }
    printf("%ld %ld %ld %ld %ld %.1f %ld %.3f\n", sent, received, judged, missing, late, worst, own_late,
           used_s() - cpu_s);
    return 0;
}
