import DSL
import Foundation
import Glibc

/// Replays a script from the prompt in a process of its own, so that it starts from nothing, as it
/// does on a server, and cannot disturb the session.
enum ChildReplay {
  static func run(_ file: URL, out: URL, options: [String] = []) throws {
    guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    else { throw CommandError("the program cannot find itself in /proc", exitCode: 7) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["replay", file.path, "--out", out.path] + options
    process.standardInput = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw CommandError("the replay cannot be started: \(error.localizedDescription)", exitCode: 7)
    }
    // The child has a process group of its own: Ctrl-C is handed on; it saves its training and ends
    // with 130.
    while process.isRunning {
      if SignalCenter.isInterrupted {
        SignalCenter.clearInterrupts()
        process.interrupt()
      }
      usleep(20_000)
    }
    let status = process.terminationStatus
    guard status != 0 else { return }
    throw CommandError(
      "the replay ended with exit code \(status)", exitCode: status,
      isInterruption: status == 130 || status == 143)
  }
}
