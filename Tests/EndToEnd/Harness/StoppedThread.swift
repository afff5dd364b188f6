import Foundation
import Glibc

/// A thread of another process that does not move, as one that is stuck.
enum StoppedThread {
    /// Stops one thread of a process for as long as the program that this gives lives.
    static func hold(_ thread: String, of process: pid_t) throws -> Program {
        let tasks = "/proc/\(process)/task"
        let numbers = try FileManager.default.contentsOfDirectory(atPath: tasks)
        guard let number = numbers.first(where: { text(ofFile: "\(tasks)/\($0)/comm") == "\(thread)\n" }) else {
            throw Failure("process \(process) has no thread \(thread)")
        }
        // PTRACE_SEIZE and PTRACE_INTERRUPT: unlike SIGSTOP they stop a thread and not its process.
        let script = """
            import ctypes, os, signal, sys
            libc = ctypes.CDLL(None, use_errno=True)
            libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
            for request in 0x4206, 0x4207:
                if libc.ptrace(request, int(sys.argv[1]), None, None) < 0:
                    sys.exit(os.strerror(ctypes.get_errno()))
            print("held", flush=True)
            signal.pause()
            """
        let holder = try Program("python3", ["-c", script, number], name: "holder of \(thread)")
        try eventually("\(thread) is held") {
            guard holder.isRunning else { throw Failure("\(thread) cannot be held: \(holder.log)") }
            return holder.log == "held\n"
        }
        return holder
    }
}
