import DSL
import Foundation

/// Puts a picture where a command wants it: into the terminal, or into a file with its script and
/// data beside it.
enum Drawing {
  /// The key that commands which draw have in common.
  static let style = Parameter(
    "style", .choice(PlotTheme.named.map(\.name)), "how pictures look", default: "light")

  /// The looks that a command asks for.
  static func theme(_ invocation: Invocation) -> PlotTheme {
    let name = invocation.string("style")
    return PlotTheme.named.first { $0.name == name }?.theme ?? .light
  }

  /// Draws what a command shows, into the file behind its `>` or into the terminal.
  static func draw(
    _ subject: any PlotSubject, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    let theme = theme(invocation)
    if let path = invocation.outputPath {
      try write(subject, to: path, theme, state)
    } else if let sixels = try sixels(subject, theme, state) {
      state.console.write(sixels + "\n")
    } else if let figure = subject as? Figure {
      let plot = try terminalPlot(figure, state)
      state.console.write(plot.text)
      if let note = plot.note { state.console.note(note) }
    } else {
      try subject.checkDrawable()
      let columns = TerminalDevice.size(of: [1, 2]).columns - 1
      state.console.write(
        subject.text(columns: min(columns, 160), style: state.console.style))
    }
  }

  /// A figure as text for the window.
  ///
  /// - Throws: `PlotError`, also where gnuplot is missing and nobody sits at the prompt to see what
  ///   is drawn in its place.
  static func terminalPlot(_ figure: Figure, _ state: WorkbenchState) throws -> TerminalPlot {
    if !state.isInteractive, let sink = state.plots as? GnuplotSink { _ = try sink.capabilities() }
    return try state.plots.draw(
      figure, window: TerminalDevice.size(of: [1, 2]), isColored: state.console.style.isColored)
  }

  /// Draws into a file and says what was written.
  static func write(
    _ subject: any PlotSubject, to path: String, _ theme: PlotTheme = .light,
    _ state: WorkbenchState
  ) throws {
    try FileWriting.makeFolder(of: state.places.output(path))
    let files = try state.plots.write(subject, to: state.places.output(path), theme: theme)
    let beside = [files.script, files.data].compactMap { $0 }.filter { $0 != files.output }
      .map(\.lastPathComponent)
    let also = beside.isEmpty ? "" : " (redraw it with \(beside.joined(separator: " and ")))"
    state.console.note("wrote \(state.places.display(files.output))\(also)")
  }

  /// A picture for a terminal that says it can show one; nil for all others.
  private static func sixels(
    _ subject: any PlotSubject, _ theme: PlotTheme, _ state: WorkbenchState
  ) throws -> String? {
    guard state.isInteractive, state.console.style.isColored, SixelTerminal.isPresent else {
      return nil
    }
    do throws(PlotError) {
      return try state.plots.sixels(subject, theme: theme)
    } catch  where error.allowsTextPlot {
      return nil
    }
  }
}
