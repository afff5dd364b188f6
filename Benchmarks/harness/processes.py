"""What a process and its children have used: processor time and memory, as the kernel counts them."""

import pathlib
import time


class ProcessTree:
    """A process with its descendants, such as nginx with its worker."""

    def __init__(self, pid):
        self.pid = pid

    def members(self):
        """The folders in /proc of the process and its descendants."""
        waiting = [self.pid]
        while waiting:
            folder = pathlib.Path("/proc", str(waiting.pop()))
            for task in folder.glob("task/*"):
                waiting += (task / "children").read_text().split()
            yield folder

    def cpu_seconds(self):
        """Time on a processor, in user mode and in the kernel, of all threads that are or were.

        From each process's own clock, in nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
        """
        return sum(time.clock_gettime(processor_clock(int(folder.name))) for folder in self.members())

    def anonymous_bytes(self):
        """Memory that the process wrote itself, shared parts divided among those who share: Pss_Anon + Pss_Shmem.

        Pages of its program file are left out: they come and go without anything to do with connections.
        """
        kilobytes = 0
        for folder in self.members():
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    kilobytes += int(line.split()[1])
        return kilobytes * 1024


def processor_clock(pid):
    """The number of the clock that clock_getcpuclockid(3) answers, which Python does not offer for other processes."""
    return ~pid << 3 | 2
