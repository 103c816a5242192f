public import Foundation

/// Finds released weights where the user's Python tools, or the user, have put them.
public struct WeightLocator: Sendable {
  /// A weight file on this machine.
  public struct Location: Sendable, Equatable {
    /// The safetensors file.
    public let file: URL
    /// Whose folder it is in, for the user to read.
    public let source: String
  }

  /// The Hugging Face hub's cache: `models--OWNER--NAME/snapshots/…`.
  public let hubCache: URL
  /// PyTorch's hub cache, where timm once put its GitHub releases.
  public let torchCache: URL
  /// The program's own folder of weights.
  public let ownFolder: URL

  /// Resolves the folders as the Python tools do: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`,
  /// `TORCH_HOME`, `XDG_CACHE_HOME`, and `WORKBENCH_HOME` for the program's own.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    home: URL = FileManager.default.homeDirectoryForCurrentUser
  ) {
    func folder(_ name: String) -> URL? {
      guard let path = environment[name], !path.isEmpty else { return nil }
      if path == "~" || path.hasPrefix("~/") {
        return home.appendingPathComponent(String(path.dropFirst(2)))
      }
      return URL(fileURLWithPath: path)
    }
    let cache = folder("XDG_CACHE_HOME") ?? home.appendingPathComponent(".cache")
    let hubHome = folder("HF_HOME") ?? cache.appendingPathComponent("huggingface")
    hubCache =
      folder("HF_HUB_CACHE") ?? folder("HUGGINGFACE_HUB_CACHE")
      ?? hubHome.appendingPathComponent("hub")
    let torchHome = folder("TORCH_HOME") ?? cache.appendingPathComponent("torch")
    torchCache = torchHome.appendingPathComponent("hub/checkpoints")
    let ownHome = folder("WORKBENCH_HOME") ?? home.appendingPathComponent(".workbench")
    ownFolder = ownHome.appendingPathComponent("weights")
  }

  /// The weights that a variant's name means, first in the hub's cache, then in PyTorch's, then in the
  /// program's own folder.
  ///
  /// - Throws: `WeightError.untrained` for variants without released weights, `.notFound` with advice.
  public func find(_ variant: Variant) throws -> Location {
    guard let tag = variant.tag, let repository = variant.hubRepository else {
      throw WeightError.untrained(model: variant.name)
    }
    if let location = locate(variant, tag) { return location }
    let unreadable = pickles(variant, tag).first { isFile($0) }
    let others = variant.pretrainedTags.filter { $0.name != tag.name }
      .filter { locate(variant, $0) != nil }
    throw WeightError.notFound(
      WeightAdvice(
        model: variant.qualifiedName, repository: repository,
        searched: [hubCache.path, torchCache.path, ownFolder.path],
        target: ownFile(variant, tag).path, unreadable: unreadable?.path,
        otherTags: others.map { "\(variant.name).\($0.name)" }))
  }

  private func locate(_ variant: Variant, _ tag: PretrainedTag) -> Location? {
    if let file = snapshot(variant, tag, file: "model.safetensors") {
      return Location(file: file, source: "Hugging Face hub cache")
    }
    let names = ["\(variant.name).\(tag.name).safetensors"] + releaseNames(tag)
    for name in names {
      let file = torchCache.appendingPathComponent(name)
      if isFile(file) { return Location(file: file, source: "PyTorch hub cache") }
    }
    for file in [ownFile(variant, tag)] + names.map(ownFolder.appendingPathComponent)
    where isFile(file) {
      return Location(file: file, source: ownFolder.path)
    }
    return nil
  }

  /// The release's file name with the extension of the readable format.
  private func releaseNames(_ tag: PretrainedTag) -> [String] {
    guard let file = tag.releaseFile, file.hasSuffix(".pth") else { return [] }
    return [file.dropLast(4) + ".safetensors"]
  }

  private func ownFile(_ variant: Variant, _ tag: PretrainedTag) -> URL {
    ownFolder.appendingPathComponent("\(variant.name).\(tag.name).safetensors")
  }

  /// Where files of PyTorch's own format would be.
  private func pickles(_ variant: Variant, _ tag: PretrainedTag) -> [URL] {
    var files = [snapshot(variant, tag, file: "pytorch_model.bin")].compactMap { $0 }
    if let name = tag.releaseFile {
      files += [torchCache, ownFolder].map { $0.appendingPathComponent(name) }
    }
    return files
  }

  /// A file of the hub's cache: of the revision that `main` was when it was fetched, or else of any
  /// other snapshot.
  private func snapshot(_ variant: Variant, _ tag: PretrainedTag, file name: String) -> URL? {
    let repository = hubCache.appendingPathComponent(
      "models--timm--\(variant.name).\(tag.name)")
    let snapshots = repository.appendingPathComponent("snapshots")
    let main = repository.appendingPathComponent("refs/main")
    var revisions: [String] = []
    if let text = try? String(contentsOf: main, encoding: .utf8) {
      revisions.append(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    let listed = (try? FileManager.default.contentsOfDirectory(atPath: snapshots.path)) ?? []
    revisions += listed.sorted()
    for revision in revisions where !revision.isEmpty && !revision.contains("/") {
      let file = snapshots.appendingPathComponent(revision).appendingPathComponent(name)
      if isFile(file) { return file }
    }
    return nil
  }

  private func isFile(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }
}
