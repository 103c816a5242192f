import Foundation
import Model

/// What is said about files of weights.
enum WeightReport {
  /// What was taken from a file and what was not.
  static func loading(_ report: LoadReport) -> String {
    var lines = [
      "\(report.scheme): \(report.loaded.count) tensors loaded (\(report.container.rawValue))"
    ]
    lines += report.notes
    if !report.converted.isEmpty {
      lines.append("\(report.converted.count) were of another floating-point type than float32")
    }
    lines += list(report.missing, "missing, new weights in their place")
    lines += list(report.unexpected, "not used")
    lines += list(
      report.mismatched.map(\.description), "of another shape, new weights in their place")
    if let head = report.headReplaced {
      lines.append(
        head.from == head.to
          ? "the classifier was replaced by a new one, which has the features of this pooling"
          : "the classifier of \(head.from) classes was replaced by a new one of \(head.to)")
    }
    if report.isDigestVerified { lines.append("the SHA-256 is the one in the file's name") }
    return lines.joined(separator: "\n")
  }

  /// What a conversion did.
  static func conversion(_ report: WeightConversion.Report, to path: String) -> String {
    let names = report.scheme.map { $0 == "timm" ? "timm's names" : "\($0)'s names, now timm's" }
    var lines = [
      "\(report.tensorCount) tensors (\(report.container.rawValue), "
        + "\(names ?? "names kept as they are"))"
    ]
    lines += report.notes
    if !report.variants.isEmpty { lines.append("fits " + report.variants.joined(separator: ", ")) }
    lines += list(report.leftOut, "left out, their type is not written")
    lines.append("wrote \(path)")
    return lines.joined(separator: "\n")
  }

  /// A file at a glance.
  static func summary(
    _ contents: WeightContents, sha256: String, _ state: WorkbenchState
  ) -> String {
    let file = contents.file
    var facts = Facts(style: state.console.style)
    facts.add("file", state.places.display(file.url))
    facts.add("kind", ([file.container.rawValue] + file.notes).joined(separator: "\n"))
    facts.add(
      "tensors",
      "\(NumberText.count(file.tensors.count)), \(NumberText.count(contents.elementCount)) numbers")
    facts.add("names", names(contents))
    facts.add(
      "fits", contents.variants.isEmpty ? "no model" : contents.variants.joined(separator: "\n"))
    facts.add("sha256", sha256)
    return facts.text + "\n"
  }

  /// A row per tensor.
  static func tensors(_ file: WeightFile) -> Table {
    Table(
      [.init("tensor"), .init("shape"), .init("type"), .init("numbers", .right)],
      rows: file.tensors.map { tensor in
        [
          .init(tensor.name.isEmpty ? "(no name)" : tensor.name),
          .init(tensor.shape.map(String.init).joined(separator: "×")), .init(tensor.type.rawValue),
          .init(.integer(tensor.count), text: NumberText.count(tensor.count)),
        ]
      })
  }

  private static func names(_ contents: WeightContents) -> String {
    guard let scheme = contents.scheme else { return "of no known library" }
    return contents.prefix.isEmpty
      ? "\(scheme)'s" : "\(scheme)'s, after '\(contents.prefix)'"
  }

  private static func list(_ names: [String], _ what: String) -> [String] {
    guard !names.isEmpty else { return [] }
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    return ["\(names.count) \(what): \(shown)"]
  }
}
