import Foundation

/// A report as Markdown, with pictures by their path from the folder it lies in.
struct MarkdownReport {
  let folder: URL

  /// The whole text.
  func text(_ report: SessionReport) -> String {
    (["# \(report.title)"] + report.blocks.map(block)).joined(separator: "\n\n") + "\n"
  }

  private func block(_ block: SessionReport.Block) -> String {
    switch block {
    case .heading(let title, let level): return String(repeating: "#", count: level) + " \(title)"
    case .paragraph(let text): return text
    case .code(let text):
      // A fence is longer than any within.
      var fence = "```"
      while text.contains(fence) { fence += "`" }
      return "\(fence)\n\(text)\n\(fence)"
    case .facts(let facts):
      return facts.map { "- **\($0.name)**: \($0.value)" }.joined(separator: "\n")
    case .table(let table): return self.table(table)
    case .picture(let url, let caption):
      return "![\(caption.replacing("]", with: "\\]"))](<\(path(to: url))>)"
    }
  }

  private func table(_ table: Table) -> String {
    func row(_ fields: [String]) -> String {
      "| " + fields.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = table.columns.map { $0.alignment == .right ? "---:" : "---" }
    let rows = table.rows.map { cells in
      row(table.columns.indices.map { $0 < cells.count ? cells[$0].text + cells[$0].mark : "" })
    }
    return ([row(table.columns.map(\.title)), row(rule)] + rows).joined(separator: "\n")
  }

  /// The path from the report's folder where the picture lies below it, else the whole path.
  private func path(to url: URL) -> String {
    let base = folder.standardizedFileURL.path
    let path = url.standardizedFileURL.path
    return path.hasPrefix(base + "/") ? String(path.dropFirst(base.count + 1)) : path
  }
}
