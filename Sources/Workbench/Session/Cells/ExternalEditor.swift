import DSL
import Foundation
import Glibc

/// The user's own editor, on a text.
enum ExternalEditor {
  /// The text as the user leaves it.
  ///
  /// - Throws: a failure when there is no terminal, or the editor cannot be started or fails.
  static func edit(_ text: String, named name: String) throws -> String {
    guard TerminalDevice.isTerminal(STDIN_FILENO) else {
      throw CommandError("there is no terminal for an editor")
    }
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "workbench-edit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try Data((text + "\n").utf8).write(to: file)
    let environment = ProcessInfo.processInfo.environment
    let editor = ["VISUAL", "EDITOR"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    let status = run(editor ?? "vi", on: file.path)
    guard status == 0 else {
      throw CommandError(
        "the editor '\(editor ?? "vi")' \(status == 127 ? "was not found" : "failed")",
        hint: "set EDITOR to one that is installed", exitCode: 7)
    }
    guard let edited = try? String(contentsOf: file, encoding: .utf8) else {
      throw CommandError("the edited text is not UTF-8")
    }
    return edited
  }

  /// Runs the editor as a shell would, in the foreground of this terminal.
  private static func run(_ editor: String, on path: String) -> Int32 {
    // EDITOR may hold arguments ("code --wait"), so the shell takes it apart.
    let words = ["/bin/sh", "-c", "exec \(editor) \"$1\"", "sh", path]
    var arguments = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    guard posix_spawn(&process, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return 127 }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    // The editor's own Ctrl-C is not ours.
    SignalCenter.clearInterrupts()
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 1
  }
}
