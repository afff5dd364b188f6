"""A slow, lossy cable between two network namespaces, that can be cut.

    slowlink.py PROCESS-A INTERFACE-A PROCESS-B INTERFACE-B DELAY-MS LOSS-PERCENT

Makes an interface (TAP) in the network of each process, and carries Ethernet frames between the two: each is late by the delay, or is lost. The
kernel here has no netem. Prints `ready`; from then on standard input takes a command a line, and each is printed back when it is in force:

    cut                            nothing passes any more, either way, and nobody is told
    restore                        frames pass again; those of the time before are gone
    slow DELAY-MS LOSS-PERCENT     from now on
"""
import collections, ctypes, fcntl, os, random, select, struct, sys, time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
# More than a frame of the usual 1500 octets with its header.
FRAME = 2048
# What is on its way at a time: beyond it frames are lost, as in a router. Much for a channel, and no memory to speak of.
QUEUE = 20000

libc = ctypes.CDLL(None, use_errno=True)


def enter(network):
    if libc.setns(network, CLONE_NEWNET) != 0:
        sys.exit(f"setns: {os.strerror(ctypes.get_errno())}")


def tap(process, name):
    """A TAP interface belongs to the network that its descriptor was opened in."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    network = os.open(f"/proc/{process}/ns/net", os.O_RDONLY)
    enter(network)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    enter(home)
    os.close(network)
    os.close(home)
    return descriptor


class Loss:
    """Loses one frame of so many, at a random place among them: as lossy as it says in a short test too, and never three in a row."""

    def __init__(self, percent):
        self.period = round(100 / percent) if percent > 0 else 0
        self.left = []

    def strikes(self):
        if self.period == 0:
            return False
        if not self.left:
            self.left = [False] * self.period
            self.left[random.randrange(self.period)] = True
        return self.left.pop()


class Cable:
    def __init__(self, ends, delay, loss):
        self.ends = ends
        self.set(delay, loss)
        self.is_cut = False
        # The delay is the same for all, so they leave in the order in which they came.
        self.frames = collections.deque()

    def set(self, delay, loss):
        self.delay = float(delay) / 1000
        self.loss = {end: Loss(float(loss)) for end in self.ends}

    def obey(self, line):
        words = line.split()
        if words == ["cut"]:
            self.is_cut = True
            self.frames.clear()
        elif words == ["restore"]:
            self.is_cut = False
        elif len(words) == 3 and words[0] == "slow":
            self.set(*words[1:])
        else:
            sys.exit(f"what does {line!r} mean?")
        print(line, flush=True)

    def put(self, frame, out):
        if not self.is_cut and not self.loss[out].strikes() and len(self.frames) < QUEUE:
            self.frames.append((time.monotonic() + self.delay, out, frame))

    def wait(self):
        """Seconds until the next frame has arrived; None while there is none."""
        return max(0, self.frames[0][0] - time.monotonic()) if self.frames else None

    def deliver(self):
        now = time.monotonic()
        while self.frames and self.frames[0][0] <= now:
            _, out, frame = self.frames.popleft()
            try:
                os.write(out, frame)
            except OSError:
                pass  # The interface is down or full: lost.


def main():
    ends = tap(*sys.argv[1:3]), tap(*sys.argv[3:5])
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    cable = Cable(ends, *sys.argv[5:7])
    print("ready", flush=True)
    commands, rest = sys.stdin.fileno(), b""
    while True:
        for end in select.select([*ends, commands], [], [], cable.wait())[0]:
            if end == commands:
                read = os.read(commands, 4096)
                if not read:
                    return
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    cable.obey(line.decode())
                continue
            try:
                while True:
                    cable.put(os.read(end, FRAME), other[end])
            except BlockingIOError:
                pass
            except OSError:
                time.sleep(0.01)  # The interface is not up yet.
        cable.deliver()


main()
