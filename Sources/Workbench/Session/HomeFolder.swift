import Foundation

/// The user's own folder of the program: `$WORKBENCH_HOME`, or else `~/.workbench`.
enum HomeFolder {
  /// The folder itself; it is made when something is first written.
  static var url: URL {
    if let path = ProcessInfo.processInfo.environment["WORKBENCH_HOME"], !path.isEmpty {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    return FileManager.default.homeDirectoryForCurrentUser
      .appendingPathComponent(".workbench", isDirectory: true)
  }

  /// Weight files that the user put there.
  static var weights: URL { url.appendingPathComponent("weights", isDirectory: true) }

  /// The digests of weight files, so that they need not be computed at every `load`.
  static var digests: URL { url.appendingPathComponent("digests", isDirectory: false) }

  /// One file of command lines per session.
  static var journals: URL { url.appendingPathComponent("journal", isDirectory: true) }

  /// The lines typed at the prompt, kept across sessions.
  static var history: URL { url.appendingPathComponent("history", isDirectory: false) }
}
