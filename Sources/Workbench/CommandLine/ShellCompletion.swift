import DSL
import Foundation

/// Names for the shell's Tab key.
enum ShellCompletion {
  /// The runs of the current folder.
  static func runs() -> [String] {
    let current = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    return RunDirectory.all(in: current.appending(path: "runs")).map(\.name)
  }

  /// What `-p` can set: the parameters of the session file on the command line.
  static func parameters(_ words: [String]) -> [String] {
    guard let file = words.first(where: { $0.hasSuffix(".wb") }),
      let source = try? ScriptFile.read(URL(fileURLWithPath: file), named: file)
    else { return [] }
    return ScriptChecking.checked(source, as: .file).parameters.map { "\($0.name)=" }
  }
}
