import DSL
import Foundation
import Model

// `data`: data sets.

enum DataCommands {
  static let all: [Command<WorkbenchState>] = [data]

  private static let data = Command<WorkbenchState>(
    Signature(
      "data", group: "data", "Loads a data set.",
      discussion: """
        'digits' is part of the program: 1,797 real handwritten digits of 8x8 pixels. CIFAR is read \
        in its official layouts, the binary one and the Python one; dir= names the folder that was \
        unpacked or the one above it. Without dir= the folders datasets, data and \
        ~/.workbench/datasets are tried.

        limit=N takes the first N training images and at most N test images.
        """,
      positionals: [
        Positional("name", .choice(["digits", "cifar10", "cifar100"]), "the data set")
      ],
      keys: [
        Parameter("dir", .path(.directory), "the folder of the files"),
        Parameter(
          "limit", .either(["all"], or: .integer(.from(1))), "how many images to take",
          default: "all"),
      ],
      effect: .change, reads: [.slot("model"), .slot("params.seed")],
      writes: [.slot("data"), .slot("model")],
      examples: [
        Example("data digits", "the embedded digits"),
        Example("data digits limit=200", "the first 200 of them"),
        Example("data cifar10 dir=datasets limit=2000", "a part of CIFAR-10"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("name")
    if name == "digits", invocation.isGiven("dir") {
      throw CommandError("the digits are part of the program and have no folder", argument: "dir")
    }
    let request = DataRequest(
      name: name, directory: try directory(name, invocation.string("dir"), state)?.path,
      limit: invocation.integer("limit"))
    let data = try DataLoading.load(request)
    try DataLoading.adopt(data, state)
    state.console.write(DataReport.summary(data, state))
  }

  /// The folder that is meant; the folders that are tried when none is named.
  private static func directory(
    _ name: String, _ path: String?, _ state: WorkbenchState
  ) throws -> URL? {
    guard name != "digits" else { return nil }
    if let path { return state.places.input(path) }
    let candidates = ["datasets", "data", "~/.workbench/datasets"].map(state.places.input)
    let folders = ["cifar10": "cifar-10-batches", "cifar100": "cifar-100"]
    let wanted = folders[name] ?? name
    for candidate in candidates {
      let inside = (try? FileManager.default.contentsOfDirectory(atPath: candidate.path)) ?? []
      if inside.contains(where: { $0.hasPrefix(wanted) }) { return candidate }
    }
    let tried = candidates.map { state.places.display($0) }.joined(separator: ", ")
    throw CommandError(
      "no \(name) files were found in \(tried)",
      hint: "name their folder: data \(name) dir=PATH; or fetch them: download \(name)", exitCode: 7
    )
  }
}

/// Loads data sets and gives them to the state.
enum DataLoading {
  /// Reads what was asked for.
  static func load(_ request: DataRequest) throws -> LoadedData {
    let directory = URL(fileURLWithPath: request.directory ?? ".", isDirectory: true)
    let source =
      switch request.name {
      case "cifar10": try Datasets.cifar10(directory: directory, limit: request.limit)
      case "cifar100": try Datasets.cifar100(directory: directory, limit: request.limit)
      default: Datasets.digits(limit: request.limit)
      }
    return LoadedData(source: source, request: request)
  }

  /// Makes it the data, and gives a network whose head follows the data the right head.
  static func adopt(_ data: LoadedData, _ state: WorkbenchState) throws {
    if var model = state.model, model.classes == .auto, model.classCount != data.classCount {
      let old = model.classCount
      model.network = try model.network.replacingHead(
        classCount: data.classCount, seed: state.seed)
      state.model = model
      state.console.note(
        "the classifier of \(old) classes was replaced by a new one of \(data.classCount)")
    }
    state.data = data
  }
}

/// What `data` and `info data` say.
enum DataReport {
  static func summary(_ data: LoadedData, _ state: WorkbenchState) -> String {
    let source = data.source
    var facts = Facts(style: state.console.style)
    var names = source.classNames.prefix(10).joined(separator: " ")
    if source.classNames.count > 10 { names += " …" }
    facts.add("data", source.name + (data.request.limit.map { ", limit \($0)" } ?? ""))
    facts.add(
      "images",
      "\(NumberText.count(source.train.count)) to train, \(NumberText.count(source.test.count)) to test"
    )
    facts.add("classes", "\(source.classNames.count): \(names)")
    let files = source.files.map { "\($0.sha256)  \($0.name)" }.joined(separator: "\n")
    facts.add("sha256", files)
    return facts.text
  }
}
