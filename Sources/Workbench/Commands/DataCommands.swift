import DSL
import Foundation
import Model

// `data`: data sets.

enum DataCommands {
  static let all: [Command<WorkbenchState>] = [data]

  private static let data = Command<WorkbenchState>(
    Signature(
      "data", group: "data", "Loads a data set, or checks the loaded one.",
      discussion: """
        'digits' is part of the program: 1,797 real handwritten digits of 8x8 pixels. CIFAR is read \
        in its official layouts, the binary one and the Python one, mnist, fashion_mnist, kmnist \
        and qmnist in their idx files, packed or not; dir= names the folder that was unpacked or \
        the one above it. Without dir= the folders datasets, data and ~/.workbench/datasets are \
        tried; with the word download the files are fetched if they are not there.

        'folder' takes your own JPEG and PNG files: train/CLASS/… with val/CLASS/… (or valid, \
        validation) and test/CLASS/…, or just CLASS/…, of which a fifth of every class is then set \
        aside for validation. 'tar' takes an uncompressed archive of the same layout and reads it in \
        place. Classes and files are in timm's order (image2 before image10, small letters like \
        capitals); folders within a class belong to it; hidden files are passed over. class-map= \
        names a file with the classes in the order of their labels; folders that it does not name \
        are left out. The fingerprint, by which a run knows its data again, is made of paths and \
        sizes, so that a file replaced by one of the same size goes unnoticed; contents are read by \
        'data verify' alone.

        'data verify' decodes every picture, lists the broken ones and prints the SHA-256 of the \
        contents. Training stops at a broken picture; with broken=skip all are decoded when the \
        data is loaded, and the broken ones are left out.

        limit=N takes N training images and at most N of the others: the first ones, or, where the \
        files are sorted by class, the first of each class.
        """,
      positionals: [
        Positional("name", .choice(DataLoading.names + ["verify"]), "the data set, or verify")
      ],
      keys: [
        Parameter("dir", .path(.directory), "the folder of the files"),
        Parameter("file", .path(.input), "the archive", activeWhen: "only with tar"),
        Parameter(
          "limit", .either(["all"], or: .integer(.from(1))), "how many images to take",
          default: "all"),
        Parameter(
          "val-fraction",
          .number(Bounds(lower: 0, upper: 1, excludesLower: true, excludesUpper: true)),
          "share of every class of the training set to validate with"),
        Parameter(
          "split-seed", .integer(.from(0)), "the seed of that draw; the session's seed without"),
        Parameter(
          "class-map", .path(.input), "a file with a class name per line",
          activeWhen: "only with folder and tar"),
        Parameter(
          "broken", .choice(["stop", "skip"]), "what to do about pictures that cannot be decoded",
          default: "stop"),
        Parameter(
          "cache", .either(["off"], or: .size), "memory for decoded pictures", default: "512M",
          activeWhen: "only with folder and tar"),
      ],
      flags: [
        Flag("download", "fetch the files if they are not there", isBareWord: true),
        Flag("json", "one JSON object per broken picture"),
        Flag("csv", "comma-separated values"),
      ],
      effect: .change, reads: [.slot("model"), .slot("params.seed")],
      writes: [.slot("data"), .slot("model")],
      examples: [
        Example("data digits", "the embedded digits"),
        Example("data digits limit=200", "the first 200 of them"),
        Example("data digits val-fraction=0.1", "a tenth of each class validates every epoch"),
        Example("data cifar10 dir=datasets limit=2000", "a part of CIFAR-10"),
        Example("data folder dir=flowers", "your own pictures, a folder for each class"),
        Example("data folder dir=flowers broken=skip; data verify", "without broken files"),
        Example("data tar file=flowers.tar val-fraction=0.25", "the same, packed"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("name")
    if name == "verify" {
      state.onlyLooked = true
      return try DataVerification.run(invocation, state)
    }
    for flag in ["json", "csv"] where invocation.has(flag) {
      throw CommandError("--\(flag) is for 'data verify'")
    }
    let request = try request(invocation, state)
    let data = try DataLoading.load(request, state)
    try DataLoading.adopt(data, state)
    state.console.write(DataReport.summary(data, state))
  }

  /// What an invocation asks for.
  static func request(
    _ invocation: Invocation, _ state: WorkbenchState
  ) throws -> DataRequest {
    let name = invocation.requiredString("name")
    try DataArguments.check(name, invocation)
    var request = DataRequest(name: name)
    request.directory = try place(name, invocation, state)?.path
    request.limit = invocation.integer("limit")
    request.validationFraction = invocation.number("val-fraction")
    request.splitSeed = invocation.integer("split-seed").map(UInt64.init) ?? state.seed
    request.classMap = invocation.string("class-map").map { state.places.input($0).path }
    request.skipsBroken = invocation.string("broken") == "skip"
    if invocation.keyword("cache") == "off" {
      request.cacheBytes = 0
    } else if let bytes = invocation.size("cache") {
      request.cacheBytes = bytes
    }
    return request
  }

  /// The folder or archive that is meant; the folders that are tried when none is named.
  static func place(
    _ name: String, _ invocation: Invocation, _ state: WorkbenchState
  ) throws -> URL? {
    if name == "digits" { return nil }
    if let path = invocation.string("file") ?? invocation.string("dir") {
      let place = state.places.input(path)
      if invocation.has("download") { try DataDownload.fetch(name, to: place, state) }
      return place
    }
    if let found = DataPlaces.find(name, state.places) { return found }
    let candidates = DataPlaces.candidates(state.places)
    if invocation.has("download") {
      try DataDownload.fetch(name, to: candidates[0], state)
      return candidates[0]
    }
    let tried = candidates.map { state.places.display($0) }.joined(separator: ", ")
    throw CommandError(
      "no \(name) files were found in \(tried)",
      hint: "name their folder: data \(name) dir=PATH; or fetch them: download \(name)",
      exitCode: 7)
  }
}

/// Which arguments of `data` go together.
enum DataArguments {
  static func check(_ name: String, _ invocation: Invocation) throws {
    func refuse(_ key: String, _ message: String, _ hint: String? = nil) throws {
      if invocation.isGiven(key) { throw CommandError(message, hint: hint, argument: key) }
    }
    if name == "digits" {
      try refuse("dir", "the digits are part of the program and have no folder")
    }
    switch name {
    case "folder":
      try refuse("file", "a folder is named by dir=", "data folder dir=PATH")
      if !invocation.isGiven("dir") {
        throw CommandError("which folder?", hint: "data folder dir=PATH", argument: "name")
      }
    case "tar":
      try refuse("dir", "an archive is named by file=", "data tar file=PATH")
      if !invocation.isGiven("file") {
        throw CommandError("which archive?", hint: "data tar file=PATH", argument: "name")
      }
    default:
      for key in ["file", "class-map", "cache"] {
        try refuse(key, "\(key)= is for 'folder' and 'tar'; '\(name)' has no picture files")
      }
    }
    if invocation.isGiven("split-seed"), !invocation.isGiven("val-fraction"),
      !["folder", "tar"].contains(name)
    {
      throw CommandError(
        "split-seed= decides nothing without val-fraction=", argument: "split-seed")
    }
    if invocation.has("download"), Datasets.release(of: name) == nil {
      throw CommandError(
        "'\(name)' cannot be fetched",
        hint: "these can: " + Datasets.publishedNames.joined(separator: ", "), argument: "name")
    }
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
    facts.add("images", images(source))
    if let bytes = source.bytes {
      let sizes = source.train.classSizes
      let range =
        sizes.lowerBound == sizes.upperBound
        ? NumberText.count(sizes.lowerBound)
        : "\(NumberText.count(sizes.lowerBound)) to \(NumberText.count(sizes.upperBound))"
      facts.add("files", "\(NumberText.bytes(bytes)); \(range) training images a class")
    }
    facts.add("classes", "\(source.classNames.count): \(names)")
    let files = source.files.map { "\($0.sha256)  \($0.name)" }.joined(separator: "\n")
    facts.add("sha256", files)
    return facts.text
  }

  /// How many images the sets have.
  static func images(_ source: DataSource) -> String {
    var parts = ["\(NumberText.count(source.train.count)) to train"]
    if source.hasSeparateValidation {
      parts.append("\(NumberText.count(source.validation.count)) to validate")
    }
    parts.append("\(NumberText.count(source.test.count)) to test")
    return parts.joined(separator: ", ")
  }
}
