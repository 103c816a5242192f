import DSL

/// Which steps of a script run where cells were chosen by `--from`, `--to`, `--tags`, `--skip`.
struct CellSelection {
  /// What was asked for.
  struct Request: Equatable {
    /// A cell's number, id or title.
    var from: String?
    var to: String?
    /// Only cells with one of these; nil for all.
    var tags: [String]?
    var skipped: [String] = []
  }

  /// What happens to a step.
  enum Role {
    /// It runs.
    case run
    /// Its cell is left out: settings, data and networks are set up all the same, and a training is
    /// replaced by the run that is on disk.
    case standIn
    /// It lies behind the last cell.
    case none
  }

  private let first: Int
  private let last: Int
  private let leftOut: Set<Int>

  /// - Throws: a failure with exit code 2 that names the cells there are.
  init(_ request: Request, in script: Script) throws {
    let cells = script.cells
    first = try request.from.map { try Self.number(of: $0, in: cells) } ?? 0
    last = try request.to.map { try Self.number(of: $0, in: cells) } ?? .max
    guard first <= last else {
      throw CommandError("--to names a cell before the one of --from", exitCode: 2)
    }
    let known = Set(cells.flatMap { $0.marker?.tags ?? [] })
    for tag in (request.tags ?? []) + request.skipped where !known.contains(tag) {
      let hint =
        known.isEmpty
        ? "no cell has tags" : "the tags are \(known.sorted().joined(separator: ", "))"
      throw CommandError("no cell has the tag '\(tag)'", hint: hint, exitCode: 2)
    }
    leftOut = Set(
      cells.filter { cell in
        let tags = cell.marker?.tags ?? []
        if tags.contains(where: request.skipped.contains) { return true }
        // What stands before the first cell belongs to all of them.
        guard let wanted = request.tags, cell.marker != nil else { return false }
        return !tags.contains(where: wanted.contains)
      }.map(\.number))
  }

  /// What happens to a step of this cell.
  func role(ofCell cell: Int) -> Role {
    if cell > last { return .none }
    // What stands before the first cell runs with whatever cell is first.
    if cell < first && cell > 0 { return .standIn }
    return leftOut.contains(cell) ? .standIn : .run
  }

  private static func number(of name: String, in cells: [Cell]) throws -> Int {
    let marked = cells.filter { $0.marker != nil }
    if let cell = marked.first(where: { $0.marker?.id == name }) { return cell.number }
    if let cell = marked.first(where: { "\($0.number)" == name }) { return cell.number }
    if let cell = marked.first(where: { $0.marker?.title == name }) { return cell.number }
    let names = marked.map { $0.marker?.id ?? "\($0.number)" }
    throw CommandError(
      "there is no cell '\(name)'",
      hint: names.isEmpty
        ? "the script has no '# %%' lines"
        : Suggestion.didYouMean(name, among: names)
          ?? "the cells are \(names.joined(separator: ", "))",
      exitCode: 2)
  }
}
