import Foundation

/// A report as one HTML file, pictures included, so that it can be sent or archived as it is.
struct HTMLReport {
  /// The whole text.
  func text(_ report: SessionReport) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.escaped(report.title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <h1>\(Self.escaped(report.title))</h1>
    \(report.blocks.map(block).joined(separator: "\n"))
    </body>
    </html>

    """
  }

  /// Wide tables and lines scroll on a screen and wrap on paper.
  private static let style = """
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
    pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; }
    table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; font-size: .875rem; }
    th, td { padding: .15rem .7rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
    td.right, th.right { text-align: right; font-variant-numeric: tabular-nums; }
    dt { font-weight: bold; } dd { margin: 0 0 .3rem 1rem; overflow-wrap: anywhere; }
    figure { margin: 1rem 0; } img { max-width: 100%; } figcaption { font-family: monospace; }
    @media screen and (prefers-color-scheme: dark) {
      body { background: #181818; color: #ddd; } pre { background: #262626; }
      th, td { border-color: #444; } img { background: white; }
    }
    @media print {
      body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
      h1, h2, h3 { break-after: avoid; } tr, figure { break-inside: avoid; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; }
      table { display: table; font-size: 8pt; }
      th, td { white-space: normal; overflow-wrap: anywhere; padding: .1rem .3rem; }
      img { max-height: 12cm; }
    }
    """

  private func block(_ block: SessionReport.Block) -> String {
    switch block {
    case .heading(let title, let level): return "<h\(level)>\(Self.escaped(title))</h\(level)>"
    case .paragraph(let text):
      return text.split(separator: "\n\n").map {
        "<p>\(Self.escaped(String($0)).replacing("\n", with: "<br>\n"))</p>"
      }.joined(separator: "\n")
    case .code(let text): return "<pre>\(Self.escaped(text))</pre>"
    case .facts(let facts):
      let rows = facts.map {
        "<dt>\(Self.escaped($0.name))</dt><dd>\(Self.escaped($0.value))</dd>"
      }
      return "<dl>\n\(rows.joined(separator: "\n"))\n</dl>"
    case .table(let table): return self.table(table)
    case .picture(let url, let caption): return picture(url, caption)
    }
  }

  private func table(_ table: Table) -> String {
    func row(_ tag: String, _ fields: [String]) -> String {
      let cells = zip(table.columns, fields).map { column, field in
        let place = column.alignment == .right ? " class=\"right\"" : ""
        return "<\(tag)\(place)>\(Self.escaped(field))</\(tag)>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    let rows = table.rows.map { cells in
      row(
        "td", table.columns.indices.map { $0 < cells.count ? cells[$0].text + cells[$0].mark : "" })
    }
    return "<table>\n" + ([row("th", table.columns.map(\.title))] + rows).joined(separator: "\n")
      + "\n</table>"
  }

  private func picture(_ url: URL, _ caption: String) -> String {
    guard let bytes = try? Data(contentsOf: url) else { return "" }
    let type = url.pathExtension.lowercased() == "svg" ? "svg+xml" : "png"
    return "<figure><img alt=\"\(Self.escaped(caption))\" "
      + "src=\"data:image/\(type);base64,\(bytes.base64EncodedString())\">"
      + "<figcaption>\(Self.escaped(caption))</figcaption></figure>"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
