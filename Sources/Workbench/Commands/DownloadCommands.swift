import DSL
import Foundation
import Model

// `download`: files from the network, where and when the user says so.

enum DownloadCommands {
  static let all: [Command<WorkbenchState>] = [download]

  private static let download = Command<WorkbenchState>(
    Signature(
      "download", group: "data",
      "Fetches released weights or a data set from its official address.",
      discussion: """
        Weights come from timm's repositories on the Hugging Face hub ($HF_ENDPOINT names another \
        one), torchvision's from PyTorch's server, and go to ~/.workbench/weights, where 'load NAME pretrained' finds them. CIFAR comes \
        from its authors, MNIST and its relatives from where torchvision fetches them; they go to the \
        folder dir=, where 'data' finds them.

        A file gets its name when it is whole and fits its published checksum. A download that was \
        stopped goes on from where it was. Nothing else in the program uses the network.
        """,
      positionals: [
        Positional("what", .choice(["weights"] + Datasets.publishedNames), "what to fetch"),
        Positional(
          "model", .named("model"), "for weights: a name of 'models', with or without a tag",
          .optional),
      ],
      keys: [
        Parameter("dir", .path(.directory), "the folder for a data set", default: "datasets"),
        Parameter(
          "from", .text,
          "another address of the file; for mnist and its relatives, of the folder of the files"),
        Parameter("sha256", .word, "the SHA-256 that weights must have"),
        Parameter("md5", .word, "the MD5 of an archive that is not the official one"),
      ],
      effect: .session,
      examples: [
        Example(
          "download weights tf_efficientnetv2_b0", "the weights that 'load' means by that name"),
        Example("download cifar10 dir=datasets", "170 MB, unpacked"),
        Example("download fashion_mnist dir=datasets", "31 MB"),
      ])
  ) { invocation, state in
    let what = invocation.requiredString("what")
    if what == "weights" {
      try fetchWeights(invocation, state)
    } else {
      try fetchDataset(what, invocation, state)
    }
  }

  private static func fetchWeights(_ invocation: Invocation, _ state: WorkbenchState) throws {
    guard let name = invocation.string("model") else {
      throw CommandError(
        "whose weights?", hint: "download weights NAME, with a name of 'models'",
        argument: "what")
    }
    for key in ["dir", "md5"] where invocation.isGiven(key) {
      throw CommandError("\(key)= is for data sets", argument: key)
    }
    let variant = try Variant.named(name)
    let release = variant.release(hub: endpoint)
    let from = invocation.string("from")
    guard let address = from ?? release?.address else {
      throw CommandError(
        "no weights were released for '\(variant.name)'",
        hint: "from=ADDRESS fetches some from elsewhere", argument: "model", exitCode: 7)
    }
    // A file from elsewhere may be of another kind than the official one.
    let file = HomeFolder.weights.appendingPathComponent(
      from == nil ? release?.file ?? "" : "\(variant.qualifiedName).safetensors")
    if FileManager.default.fileExists(atPath: file.path) {
      state.console.print("\(state.places.display(file)) is there")
      return
    }
    let download = Download(
      address: address, file: file,
      checksum: (invocation.string("sha256") ?? ReleaseName.digest(in: file)).map { .sha256($0) },
      check: { _ = try WeightFile.open($0) })
    let result = try download.run(state.console)
    if !result.isVerified {
      state.console.note("the server gave no checksum to compare the file with")
    }
    let digest = try result.sha256 ?? sha256(of: file)
    state.console.print("\(state.places.display(file))  sha256 \(digest)")
  }

  /// The Hugging Face hub, or what its own tools use in its place.
  private static var endpoint: String {
    let value = ProcessInfo.processInfo.environment["HF_ENDPOINT"] ?? ""
    return value.isEmpty ? "https://huggingface.co" : value
  }

  private static func fetchDataset(
    _ name: String, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    if invocation.string("model") != nil {
      throw CommandError("'\(name)' is a data set and takes no model", argument: "model")
    }
    if invocation.isGiven("sha256") {
      throw CommandError(
        "the checksum of a data set is its MD5", hint: "md5=…", argument: "sha256")
    }
    let directory = state.places.input(invocation.string("dir") ?? "datasets")
    let (folder, isNew) = try DataDownload.fetch(
      name, to: directory, state, address: invocation.string("from"), md5: invocation.string("md5"))
    state.console.print(state.places.display(folder) + (isNew ? "" : " is there"))
  }
}

/// Fetches data sets for `download` and `data … download`.
enum DataDownload {
  /// Fetches a data set unless it is there.
  ///
  /// - Returns: its folder, and whether it was fetched now.
  @discardableResult
  static func fetch(
    _ name: String, to directory: URL, _ state: WorkbenchState, address: String? = nil,
    md5: String? = nil
  ) throws -> (folder: URL, isNew: Bool) {
    guard let release = Datasets.release(of: name) else {
      throw CommandError("'\(name)' is nowhere to be fetched from", argument: "what")
    }
    let download = try download(release, to: directory, address: address, md5: md5)
    let isNew = !download.isThere
    if isNew, state.replay.isRehearsal || state.replay.isPlan {
      throw CommandError(
        "\(name) is not there yet: the replay itself fetches it", hint: "download \(name)",
        exitCode: 7)
    }
    if isNew { try download.run(state.console) }
    return (directory.appendingPathComponent(release.folder), isNew)
  }

  private static func download(
    _ release: DatasetRelease, to directory: URL, address: String?, md5: String?
  ) throws -> any DatasetDownload {
    switch release {
    case .archive(let archive):
      return ArchiveDownload(directory: directory, archive: archive, address: address, md5: md5)
    case .files(let files):
      if md5 != nil {
        throw CommandError(
          "md5= is for a data set in one archive; this one has a file for each MD5",
          argument: "md5")
      }
      return FilesDownload(directory: directory, files: files, address: address)
    }
  }
}
