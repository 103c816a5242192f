import DSL
import Foundation
import Model

/// Loads data sets and gives them to the state.
enum DataLoading {
  /// What can be asked for.
  static let names = ["digits"] + Datasets.publishedNames + ["folder", "tar"]

  /// Reads what was asked for.
  static func load(_ request: DataRequest, _ state: WorkbenchState) throws -> LoadedData {
    var source = try read(request)
    for remark in source.remarks { state.console.warn(remark) }
    if source.test.count == 0, request.validationFraction == nil {
      // There is nothing else to be judged by.
      let fraction = Datasets.usualValidationFraction
      source = try source.settingAside(fraction, seed: request.splitSeed)
      state.console.note(
        "there are no pictures to test with: \(Int(100 * fraction))% of each class were set aside "
          + "(val-fraction= decides how many)")
    } else if let fraction = request.validationFraction {
      source = try source.settingAside(fraction, seed: request.splitSeed)
    }
    if let limit = request.limit, !request.isCutWhileReading {
      source = try source.limited(to: limit)
    }
    if request.skipsBroken { source = try leaveOutBroken(source, state) }
    return LoadedData(source: source, request: request)
  }

  private static func read(_ request: DataRequest) throws -> DataSource {
    let place = URL(fileURLWithPath: request.directory ?? ".")
    let limit = request.isCutWhileReading ? request.limit : nil
    var options = PictureOptions()
    options.classMap = request.classMap.map { URL(fileURLWithPath: $0) }
    options.cacheBytes = request.cacheBytes
    switch request.name {
    case "cifar10": return try Datasets.cifar10(directory: place, limit: limit)
    case "cifar100": return try Datasets.cifar100(directory: place, limit: limit)
    case "folder": return try Datasets.folder(place, options: options)
    case "tar": return try Datasets.tar(place, options: options)
    case "digits": return Datasets.digits(limit: limit)
    default: return try Datasets.idx(request.name, directory: place, limit: limit)
    }
  }

  private static func leaveOutBroken(
    _ source: DataSource, _ state: WorkbenchState
  ) throws -> DataSource {
    let total = source.sets.reduce(0) { $0 + $1.count }
    state.console.progress.begin(total: total, label: "decoding")
    defer { state.console.progress.finish() }
    let result = try source.leavingOutBroken { done, _ in
      state.console.progress.update(done)
      return !state.mustStop
    }
    guard let result else { throw state.stopError }
    for picture in result.broken.prefix(10) {
      state.console.warn("left out: \(picture.problem)")
    }
    if result.broken.count > 10 {
      state.console.warn("\(result.broken.count - 10) more broken pictures were left out")
    }
    return result.data
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
    } else {
      state.untouchedSlots.insert("model")
    }
    state.data = data
  }
}

/// `data verify`.
enum DataVerification {
  static func run(_ invocation: Invocation, _ state: WorkbenchState) throws {
    if let key = invocation.keys.first {
      throw CommandError(
        "'data verify' checks the data that is loaded and takes no \(key.name)=",
        argument: key.name)
    }
    let source = try state.requireData().source
    var rows: [[Table.Cell]] = []
    var listing = ""
    var counted = 0
    var done = 0
    state.console.progress.begin(
      total: source.sets.reduce(0) { $0 + $1.count }, label: "decoding")
    defer { state.console.progress.finish() }
    for set in source.sets {
      let check = set.check(withDigests: true) { inSet in
        state.console.progress.update(done + inSet)
        return !state.mustStop
      }
      guard let check else { throw state.stopError }
      done += set.count
      rows += check.broken.map { [.init(set.name), .init($0.file), .init($0.problem)] }
      for (index, digest) in check.digests.enumerated() {
        guard let digest, let file = set.file(index) else { continue }
        listing += "\(digest)  \(file)\n"
        counted += 1
      }
    }
    let isForPrograms =
      invocation.has("json") || invocation.has("csv") || state.console.isForPrograms
    if !rows.isEmpty || isForPrograms {
      state.console.print(
        Table([.init("set"), .init("file"), .init("problem")], rows: rows),
        json: invocation.has("json"), csv: invocation.has("csv"))
    }
    guard rows.isEmpty else {
      throw CommandError(
        "\(NumberText.count(rows.count)) of \(NumberText.count(done)) pictures are broken",
        hint: "replace them, or load the data with broken=skip", exitCode: 7)
    }
    if isForPrograms { return }
    state.console.print("all \(NumberText.count(done)) pictures are sound")
    if counted > 0 {
      // What 'sha256sum' over the files, in the order of the data set, would be hashed to.
      state.console.print(
        "\(sha256(of: Array(listing.utf8)))  contents of \(NumberText.count(counted)) files")
    }
  }
}
