"""What a process and its children have used: processor time and memory, as the kernel counts them."""

import pathlib


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
        """Time on a processor, in user mode and in the kernel.

        From schedstat, in nanoseconds and exact, where /proc/PID/stat counts ticks of 10 ms.
        """
        nanoseconds = 0
        for folder in self.members():
            for task in folder.glob("task/*"):
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

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
