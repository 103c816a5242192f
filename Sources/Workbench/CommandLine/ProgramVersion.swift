import Foundation

/// Which program this is.
enum ProgramVersion {
  static let number = "0.1.0"

  /// The commit of the checkout that the program was built in; nil when it stands elsewhere.
  static let commit: String? = {
    guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    else { return nil }
    var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
    while folder.path != "/" {
      let git = folder.appendingPathComponent(".git")
      if let commit = head(of: git) { return commit }
      folder.deleteLastPathComponent()
    }
    return nil
  }()

  private static func head(of git: URL) -> String? {
    func text(_ name: String) -> String? {
      try? String(contentsOf: git.appendingPathComponent(name), encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard let head = text("HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    let reference = String(head.dropFirst(5))
    if let commit = text(reference) { return commit }
    let packed = text("packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" \(reference)") }
    return packed.map { String($0.prefix { $0 != " " }) }
  }
}
