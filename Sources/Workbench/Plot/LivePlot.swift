import Foundation

/// A figure that is drawn again and again: in the same place of the terminal, into the same file, or
/// as a line of small bars where there is neither.
///
/// It never ends what it accompanies: a figure that cannot be drawn is said once, and then no more is
/// drawn.
final class LivePlot {
  private let figure: () throws -> Figure
  private let output: String?
  private let theme: PlotTheme
  private let state: WorkbenchState
  private let now: () -> Double

  /// At most every so many seconds gnuplot is asked for a new picture.
  private static let interval = 2.0

  private var shown: (lines: Int, window: TerminalDevice.Size)?
  private var text = ""
  private var lastDrawn = -Double.infinity
  private var isBroken = false

  /// - Parameters:
  ///   - output: the file to keep current; nil for the terminal.
  ///   - figure: makes the figure as it is now; what it throws is taken for "nothing yet".
  init(
    to output: String?, theme: PlotTheme = .light, _ state: WorkbenchState,
    now: @escaping () -> Double = { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 },
    figure: @escaping () throws -> Figure
  ) {
    self.output = output
    self.theme = theme
    self.state = state
    self.now = now
    self.figure = figure
  }

  /// Whether the figure stands in the terminal and moves down as lines are printed above it.
  var isInPlace: Bool { output == nil && Self.canMove && state.console.style.isColored }

  /// Takes the figure out of the terminal, so that something can be printed above it.
  func erase() {
    guard let shown else { return }
    self.shown = nil
    // In a window of another size the lines stand somewhere else.
    let isSame = TerminalDevice.size(of: [1, 2]) == shown.window
    state.console.write(isSame ? "\u{1B}[\(shown.lines)A\r\u{1B}[J" : "\u{1B}[H\u{1B}[2J")
  }

  /// Draws what is new, at most every two seconds.
  ///
  /// - Parameter isLast: draws in any case, the state of things at the end.
  /// - Returns: whether what is shown is up to date now.
  @discardableResult
  func draw(isLast: Bool = false) -> Bool {
    guard !isBroken else { return true }
    let isDue = isDue(isLast)
    do {
      if isInPlace {
        try drawInPlace(isDue: isDue)
      } else if isDue {
        guard let figure = drawableFigure else { return false }
        lastDrawn = now()
        if let output {
          _ = try state.plots.write(figure, to: state.places.output(output), theme: theme)
        } else {
          state.console.note(Self.sparklines(figure))
        }
      }
    } catch {
      isBroken = true
      erase()
      state.console.warn("no more live plot: \((error as? PlotError)?.message ?? "\(error)")")
    }
    return isDue
  }

  /// The figure, if there is anything to see yet.
  private var drawableFigure: Figure? {
    guard let figure = try? figure(), (try? figure.checkDrawable()) != nil else { return nil }
    return figure
  }

  /// Puts back what ``erase()`` took away.
  func redraw() {
    guard isInPlace, shown == nil, !text.isEmpty else { return }
    state.console.write(text)
    shown = (text.count { $0 == "\n" }, TerminalDevice.size(of: [1, 2]))
  }

  /// Draws again what is shown if the window has changed its size.
  func fit() {
    guard let shown, TerminalDevice.size(of: [1, 2]) != shown.window else { return }
    draw(isLast: true)
  }

  private func isDue(_ isLast: Bool) -> Bool {
    // A line of small bars costs nothing: one for every epoch.
    isLast || (output == nil && !isInPlace) || now() - lastDrawn >= Self.interval
  }

  private func drawInPlace(isDue: Bool) throws {
    let window = TerminalDevice.size(of: [1, 2])
    if isDue || shown.map({ $0.window != window }) ?? false {
      guard let figure = drawableFigure else { return }
      lastDrawn = now()
      text = try Drawing.terminalPlot(figure, state).text
    } else if shown != nil {
      return
    }
    erase()
    redraw()
  }

  /// Whether the cursor can be moved up in what is standard output.
  private static var canMove: Bool {
    let environment = ProcessInfo.processInfo.environment
    let term = environment["TERM"] ?? ""
    return TerminalDevice.isTerminal(STDOUT_FILENO) && !term.isEmpty && term != "dumb"
      && (environment["CI"] ?? "").isEmpty
  }

  /// A line for each series: `test loss ▇▅▃▂▁ 0.3412`.
  static func sparklines(
    _ figure: Figure, showsUnicode: Bool = TerminalDevice.showsUnicode()
  ) -> String {
    figure.series.filter { !$0.isFaint }.compactMap { series -> String? in
      let values = series.points.map(\.y)
      guard let last = values.last(where: { $0?.isFinite ?? false }) ?? nil else { return nil }
      let name = series.name.isEmpty ? figure.axis(of: series.side).label : series.name
      return "\(name) \(Sparkline.text(values, showsUnicode: showsUnicode)) "
        + NumberText.significant(last)
    }.joined(separator: "   ")
  }
}
