import DSL

/// The cells of the session, how their last runs went, and the names that they may mention.
struct SessionCells {
  /// How a cell's last run went.
  struct Run {
    enum Status: String {
      case done
      case failed
      case stopped
    }

    var status: Status
    /// The cell's lines when it ran.
    var text: String
    /// What its commands were.
    var entries: [JournalEntry] = []
    /// What each of them was and read, as a digest.
    var keys: [UInt64] = []
    /// How long it took, in milliseconds.
    var milliseconds = 0
  }

  /// What a list of cells says about one.
  enum Mark: String {
    case new
    case done
    case stale
    case failed
    case stopped

    /// The sign beside the cell.
    var sign: String {
      switch self {
      case .new: "·"
      case .done: "✓"
      case .stale: "~"
      case .failed: "✗"
      case .stopped: "‖"
      }
    }
  }

  /// A parameter that was declared in the session.
  struct Parameter {
    /// `param epochs:int = 5 in 1..`
    var declaration: String
    /// Its value.
    var value: String
  }

  /// The cells.
  var document = CellDocument()
  /// How they ran, by the cell's key.
  private(set) var runs: [Int: Run] = [:]
  /// The key of the cell that takes what is typed at the prompt.
  var currentKey = 0
  /// The names that `${name}` may mention.
  var scope = Scope()
  /// The parameters that were declared, in order.
  private(set) var parameters: [(name: String, parameter: Parameter)] = []

  /// Takes over what a script declares, once it has been checked.
  mutating func adopt(_ script: CheckedScript) {
    scope = script.scope
    for declared in script.parameters {
      let parameter = Parameter(
        declaration: script.script.source.text(in: declared.range), value: declared.text)
      parameters.removeAll { $0.name == declared.name }
      parameters.append((declared.name, parameter))
    }
  }

  // MARK: What ran

  /// A cell begins to run from its first line.
  mutating func begin(key: Int) {
    let text = document.index(ofKey: key).map { document.cells[$0].text } ?? ""
    runs[key] = Run(status: .done, text: text)
  }

  /// A command of a cell was run.
  ///
  /// - Parameter slots: what the slots held before.
  mutating func note(
    _ entry: JournalEntry, key: Int, before slots: SlotKeys, milliseconds: Int
  ) {
    var run = runs[key] ?? Run(status: .done, text: "")
    run.entries.append(entry)
    run.keys.append(slots.key(of: entry))
    run.milliseconds += milliseconds
    runs[key] = run
  }

  /// A cell has run, as far as it came.
  mutating func finish(key: Int, _ status: Run.Status) { runs[key]?.status = status }

  /// Lines that were typed and have run belong to the cell from now on.
  mutating func addLines(_ text: String, key: Int) {
    document.add(text, toKey: key)
    guard let index = document.index(ofKey: key) else { return }
    var run = runs[key] ?? Run(status: .done, text: "")
    run.text = document.cells[index].text
    runs[key] = run
  }

  /// Another document, of which nothing has run.
  mutating func replace(_ document: CellDocument) {
    self.document = document
    runs = [:]
    currentKey = document.cells.last?.key ?? 0
  }

  // MARK: Marks

  /// How the cells stand, in their order.
  ///
  /// A cell is stale when, run again after the cells above it as they are now, it would be told
  /// something else than it was told when it ran.
  var marks: [Mark] {
    var slots = SlotKeys()
    return document.cells.map { cell in
      guard let run = runs[cell.key] else { return cell.isMarkdown ? .done : .new }
      guard run.text == cell.text else {
        planned(cell).forEach { slots.apply($0) }
        return .new
      }
      var isStale = false
      for (entry, key) in zip(run.entries, run.keys) {
        isStale = isStale || slots.key(of: entry) != key
        slots.apply(entry)
      }
      switch run.status {
      case .failed: return .failed
      case .stopped: return .stopped
      case .done: return isStale ? .stale : .done
      }
    }
  }

  /// The commands that a cell would run now.
  private func planned(_ cell: CellDocument.Cell) -> [JournalEntry] {
    let checker = Checker(vocabulary: CommandSet.table.vocabulary)
    let script = checker.check(
      Source(name: "", text: cell.text), as: .prompt, scope: scope)
    return script.steps.map { JournalEntry($0.invocation, status: .ok) }
  }

  /// The places of the cells that are stale.
  var stale: [Int] {
    let marks = marks
    return marks.indices.filter { marks[$0] == .stale }
  }

  /// What makes stale cells right again.
  struct Refresh: Equatable {
    /// The settings that no cell above has made, to be put back first.
    var unset: [String] = []
    /// The places of the cells to run, in order: the stale ones, and those that must run before
    /// them because the session has other contents in what they make.
    var cells: [Int] = []
  }

  /// What to run so that no cell is stale.
  ///
  /// - Parameter slots: what the session's slots hold now.
  func refresh(from slots: SlotKeys) -> Refresh {
    var refresh = Refresh(cells: stale)
    while let next = extended(refresh, slots), next != refresh { refresh = next }
    return refresh
  }

  /// One provider more than before; nil when all inputs are right.
  private func extended(_ refresh: Refresh, _ slots: SlotKeys) -> Refresh? {
    var (session, wanted) = (slots, SlotKeys())
    for name in refresh.unset { session.reset(.parameter(name)) }
    var writers: [(slots: [Slot], cell: Int)] = []
    for (index, cell) in document.cells.enumerated() {
      let entries = runs[cell.key].map { $0.text == cell.text ? $0.entries : planned(cell) } ?? []
      for entry in entries {
        if refresh.cells.contains(index) {
          for slot in entry.reads.flatMap({ wanted.differences(from: session, in: $0) }) {
            var extended = refresh
            if let writer = writers.last(where: { $0.slots.contains { $0.overlaps(slot) } }) {
              guard !refresh.cells.contains(writer.cell) else { continue }
              extended.cells = (refresh.cells + [writer.cell]).sorted()
            } else if slot.name.hasPrefix("params.") {
              extended.unset.append(String(slot.name.dropFirst("params.".count)))
            } else {
              continue
            }
            return extended
          }
          session.apply(entry)
        }
        wanted.apply(entry)
        if entry.changesSlots { writers.append((entry.writes, index)) }
      }
    }
    return nil
  }
}
