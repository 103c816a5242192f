import DSL
import Foundation
import Model

/// What a session did, for people who were not there: a list of blocks that every form of report
/// renders.
struct SessionReport {
  /// A piece of the report.
  enum Block {
    case heading(String, level: Int)
    case paragraph(String)
    case code(String)
    case facts([(name: String, value: String)])
    case table(Table)
    case picture(URL, caption: String)
  }

  let title: String
  private(set) var blocks: [Block] = []

  /// Describes the cells and the state that they led to.
  init(_ cells: [SessionCell], _ state: WorkbenchState) {
    title = "Session \(state.journal.session)"
    let commit = ProgramVersion.commit.map { ", commit \($0.prefix(7))" } ?? ""
    blocks.append(
      .paragraph(
        "Written \(DateText.universal(Date())) by workbench \(ProgramVersion.number)\(commit)."))
    addState(state)
    addCommands(cells)
    let names = Self.runs(of: cells)
    addRuns(names, state)
    addPictures(cells, state)
    addFiles(names, state)
    blocks.append(.heading("Environment", level: 2))
    blocks.append(.code(EnvironmentReport.text(state).trimmingNewline))
  }

  private mutating func addState(_ state: WorkbenchState) {
    var facts: [(name: String, value: String)] = []
    if let model = state.model {
      let size = NumberText.count(model.network.blueprint.parameterCount)
      facts.append(("network", "\(model.variant.name), \(size) parameters"))
      facts.append(("classifier", model.classifierText))
    }
    if let data = state.data {
      facts.append(
        (
          "data",
          "\(data.source.name), \(data.classCount) classes, \(DataReport.images(data.source))"
        ))
    }
    facts.append(("seed", "\(state.seed)"))
    blocks.append(.facts(facts))
    if !state.values.changed.isEmpty {
      blocks.append(.heading("Settings", level: 2))
      blocks.append(.table(SettingTables.changed(state.values)))
    }
  }

  private mutating func addCommands(_ cells: [SessionCell]) {
    blocks.append(.heading("Commands", level: 2))
    for cell in cells {
      if !cell.title.isEmpty { blocks.append(.heading(cell.title, level: 3)) }
      if cell.isText {
        blocks.append(.paragraph(cell.markdown))
      } else {
        blocks.append(.code(cell.lines.map(\.text).joined(separator: "\n")))
      }
    }
  }

  /// The runs that the cells trained, each once, in order.
  private static func runs(of cells: [SessionCell]) -> [String] {
    var seen: Set<String> = []
    return cells.flatMap(\.entries).filter { ["train", "resume"].contains($0.verb) }
      .compactMap(NotebookExport.run).filter { seen.insert($0).inserted }
  }

  private mutating func addRuns(_ names: [String], _ state: WorkbenchState) {
    let runs = names.compactMap { try? RunDirectory.open($0, in: state.places.runs) }
    guard !runs.isEmpty else { return }
    blocks.append(.heading("Runs", level: 2))
    blocks.append(.table(RunTables.runs(runs.map { RunSummary($0) })))
    for run in runs {
      blocks.append(.heading("Run \(run.name)", level: 3))
      if let parameters = try? RunParameters(of: run) {
        let weights = parameters.weights.map { "SHA-256 \($0)" } ?? "new"
        blocks.append(
          .facts([
            ("network", parameters.model), ("weights at the start", weights),
            ("data", "\(parameters.data), \(parameters.classes.count) classes"),
            ("fingerprint of the data", parameters.dataFingerprint),
          ]))
        blocks.append(.table(SettingTables.changed(parameters.parameters)))
      }
      if let metrics = try? MetricsTable(contentsOf: run.metrics), !metrics.rows.isEmpty {
        blocks.append(.table(RunTables.metrics(metrics)))
      }
    }
  }

  private mutating func addPictures(_ cells: [SessionCell], _ state: WorkbenchState) {
    var seen: Set<URL> = []
    let pictures = cells.flatMap(\.entries).flatMap { entry in
      entry.writes.map(\.name).filter { $0.hasPrefix("file:") }.map {
        (url: state.places.output(String($0.dropFirst("file:".count))), command: entry.text)
      }
    }.filter { picture in
      ["png", "svg"].contains(picture.url.pathExtension.lowercased())
        && FileManager.default.fileExists(atPath: picture.url.path)
        && seen.insert(picture.url).inserted
    }
    guard !pictures.isEmpty else { return }
    blocks.append(.heading("Figures", level: 2))
    blocks += pictures.map { .picture($0.url, caption: $0.command) }
  }

  /// The digests of what went in and what came out.
  private mutating func addFiles(_ names: [String], _ state: WorkbenchState) {
    var rows: [[Table.Cell]] = []
    if case .file(let url, let digest)? = state.model?.weights {
      rows.append([.init(state.places.display(url)), .init(digest)])
    }
    for file in state.data?.source.files ?? [] {
      rows.append([.init(file.name), .init(file.sha256)])
    }
    for name in names {
      guard let run = try? RunDirectory.open(name, in: state.places.runs) else { continue }
      let file = run.checkpoints.folder.appending(path: "last.safetensors")
      if let digest = try? sha256(of: file) {
        rows.append([.init(state.places.display(file)), .init(digest)])
      }
    }
    guard !rows.isEmpty else { return }
    blocks.append(.heading("Files", level: 2))
    blocks.append(.table(Table([.init("file"), .init("SHA-256", key: "sha256")], rows: rows)))
  }
}
