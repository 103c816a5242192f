import Foundation

/// Puts a figure where a command wants it: into the terminal, or into a file with its script and
/// data beside it.
enum Drawing {
  /// Draws; `path` is what stood behind `>`, relative to the output folder.
  static func draw(_ figure: Figure, to path: String?, _ state: WorkbenchState) throws {
    if let path {
      try write(figure, to: path, state)
      return
    }
    let plot = try state.plots.draw(
      figure, window: TerminalDevice.size(of: [1, 2]), isColored: state.console.style.isColored)
    state.console.write(plot.text)
    if let note = plot.note { state.console.note(note) }
  }

  /// Draws into a file and says what was written.
  static func write(_ subject: any PlotSubject, to path: String, _ state: WorkbenchState) throws {
    try FileWriting.makeFolder(of: state.places.output(path))
    let files = try state.plots.write(subject, to: state.places.output(path))
    let beside = [files.script, files.data].compactMap { $0 }.filter { $0 != files.output }
      .map(\.lastPathComponent)
    let also = beside.isEmpty ? "" : " (redraw it with \(beside.joined(separator: " and ")))"
    state.console.note("wrote \(state.places.display(files.output))\(also)")
  }
}
