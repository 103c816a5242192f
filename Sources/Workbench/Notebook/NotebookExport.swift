import DSL
import Foundation

/// A session as a Jupyter notebook.
///
/// A cell hands its commands to a process of the program. Nothing is left of that process when the
/// cell has run but its files, so each cell begins with what it needs of the cells before it: data,
/// network and settings, and the checkpoint of a run in the place of its training.
struct NotebookExport {
  /// The line in front of what repeats earlier cells.
  static let repeatedMark = "# --- from earlier cells"
  /// The line in front of a cell's own commands.
  static let ownMark = "# --- this cell"

  let cells: [SessionCell]
  /// Where runs and pictures lie, for the outputs.
  let places: Places

  /// The notebook in form 4.5 of the file.
  func json() throws -> Data {
    var earlier: [JournalEntry] = []
    var written: [[String: Any]] = []
    for cell in cells {
      let id = "cell-\(written.count + 1)"
      if cell.isText {
        written.append(text(cell, id: id))
        continue
      }
      if !cell.title.isEmpty { written.append(heading(cell.title, id: "\(id)-title")) }
      written.append(code(cell, after: earlier, id: id))
      earlier += cell.entries
    }
    let notebook: [String: Any] = [
      "cells": written,
      "metadata": [
        "kernelspec": ["display_name": "Python 3", "language": "python", "name": "python3"],
        "language_info": ["name": "python"],
      ],
      "nbformat": 4, "nbformat_minor": 5,
    ]
    var data = try JSONSerialization.data(
      withJSONObject: notebook, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    data.append(UInt8(ascii: "\n"))
    return data
  }

  private func text(_ cell: SessionCell, id: String) -> [String: Any] {
    let body = cell.markdown
    let isTitled =
      cell.title.isEmpty
      || body.split(separator: "\n").first { !$0.isEmpty }?.drop { $0 == "#" || $0 == " " }
        == cell.title[...]
    return markdown(isTitled ? body : "## \(cell.title)\n\n\(body)", id: id, tags: cell.tags)
  }

  private func heading(_ title: String, id: String) -> [String: Any] {
    markdown("### \(title)", id: id, tags: [])
  }

  private func markdown(_ text: String, id: String, tags: [String]) -> [String: Any] {
    [
      "cell_type": "markdown", "id": id, "metadata": Self.metadata(tags),
      "source": Self.lines(text),
    ]
  }

  private func code(
    _ cell: SessionCell, after earlier: [JournalEntry], id: String
  ) -> [String: Any] {
    var source = ["%%script workbench --quiet"]
    let needed = Self.context(of: cell.entries, after: earlier)
    if !needed.isEmpty { source += [Self.repeatedMark] + needed + [Self.ownMark] }
    source += cell.lines.map(\.text)
    return [
      "cell_type": "code", "id": id, "metadata": Self.metadata(cell.tags),
      "execution_count": NSNull(), "outputs": cell.entries.flatMap(outputs),
      "source": Self.lines(source.joined(separator: "\n")),
    ]
  }

  private static func metadata(_ tags: [String]) -> [String: Any] {
    tags.isEmpty ? [:] : ["tags": tags]
  }

  /// Lines with their line feeds, as Jupyter stores a text.
  private static func lines(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().map {
      $0.offset < lines.count - 1 ? "\($0.element)\n" : "\($0.element)"
    }
  }

  // MARK: What a cell needs

  /// The commands of earlier cells that a cell depends on.
  static func context(of entries: [JournalEntry], after earlier: [JournalEntry]) -> [String] {
    var needed: [Slot] = []
    var written: Set<Slot> = []
    for entry in entries {
      needed += entry.reads.filter { !written.contains($0) }
      if entry.status == .ok { written.formUnion(entry.writes) }
    }
    let before = earlier.filter { [.look, .check, .annotation].contains($0.effect) == false }
      .map(standIn)
    let question = JournalEntry(verb: "", text: "", effect: .check, reads: needed)
    let slice = Slicer(isLive: { _ in false }).slice(before + [question])
    return slice.lines.map(\.text).filter { !$0.isEmpty }
  }

  /// In the place of a training stands the loading of what it left.
  private static func standIn(_ entry: JournalEntry) -> JournalEntry {
    var entry = entry
    entry.cell = 0
    guard ["train", "resume"].contains(entry.verb), let run = run(of: entry) else { return entry }
    return JournalEntry(
      verb: "checkpoint", text: "checkpoint load \(run)", effect: .change, writes: ["model"])
  }

  /// The run that a command trained.
  static func run(of entry: JournalEntry) -> String? {
    entry.writes.map(\.name).first {
      $0.hasPrefix("run:") && $0 != "run:current" && !$0.hasSuffix("*")
    }
    .map { String($0.dropFirst("run:".count)) }
  }

  // MARK: Outputs

  /// What a command left on disk: the log of a training, the picture of a figure.
  private func outputs(_ entry: JournalEntry) -> [[String: Any]] {
    if ["train", "resume"].contains(entry.verb), let name = Self.run(of: entry),
      let run = try? RunDirectory.open(name, in: places.runs),
      let log = try? String(contentsOf: run.log, encoding: .utf8)
    {
      return [["output_type": "stream", "name": "stdout", "text": Self.lines(log)]]
    }
    return entry.writes.map(\.name).filter { $0.hasPrefix("file:") }.compactMap { slot in
      picture(places.output(String(slot.dropFirst("file:".count))))
    }
  }

  private func picture(_ url: URL) -> [String: Any]? {
    guard let bytes = try? Data(contentsOf: url) else { return nil }
    let data: [String: Any]
    switch url.pathExtension.lowercased() {
    case "png": data = ["image/png": bytes.base64EncodedString()]
    case "svg": data = ["image/svg+xml": Self.lines(String(decoding: bytes, as: UTF8.self))]
    default: return nil
    }
    return ["output_type": "display_data", "data": data, "metadata": [String: Any]()]
  }
}
