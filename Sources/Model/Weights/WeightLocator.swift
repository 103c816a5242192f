public import Foundation

/// Finds released weights where the user, or the user's Python tools, put them on this machine.
///
/// Looked at are, in this order: the program's own folder (`$WORKBENCH_HOME/weights`, or
/// `~/.workbench/weights`), the cache of the Hugging Face hub, the cache of PyTorch's hub, the cache of
/// Keras. Nothing is fetched.
public enum WeightLocator {
  /// The file with the weights of a variant's selected tag.
  ///
  /// - Throws: `WeightError.notFound`, which says what to fetch and where to put it;
  ///   `.neverReleased`.
  public static func find(_ variant: Variant) throws -> URL {
    try find(variant, in: WeightPlaces(environment: ProcessInfo.processInfo.environment))
  }

  /// The folders that are looked at, in order, each with the program that fills it.
  public static var folders: [(owner: String, folder: URL)] {
    let places = WeightPlaces(environment: ProcessInfo.processInfo.environment)
    return [
      ("workbench", places.own), ("Hugging Face", places.hub), ("PyTorch", places.torch),
      ("Keras", places.keras),
    ]
  }

  static func find(_ variant: Variant, in places: WeightPlaces) throws -> URL {
    guard let tag = variant.tag, let release = variant.release() else {
      let own = places.own.appendingPathComponent("\(variant.name).safetensors")
      if isFile(own) { return own }
      let sibling = Variant.all.first { $0.name == "tf_\(variant.name)" && $0.tag != nil }
      throw WeightError.neverReleased(variant: variant.name, sibling: sibling?.name)
    }
    let name = variant.qualifiedName
    // A file without a tag in its name is taken for the default one.
    let isDefault = tag == variant.pretrainedTags.first
    func hub(_ file: String) -> [URL] {
      variant.hubRepository.map { hubFiles(file, of: $0, in: places.hub) } ?? []
    }
    let readable =
      ownFiles(name, bareName: isDefault ? variant.name : nil, in: places.own)
      + hub("model.safetensors")
      + (tag.releaseFile.map { releaseFiles($0, in: places) } ?? [])
      + hub("pytorch_model.bin")
      + (kerasFile(variant, tag).map { [places.keras.appendingPathComponent($0)] } ?? [])
    if let file = readable.first(where: isFile) { return file }
    let source = ReleasedWeights(
      name: name, address: release.address,
      releaseFile: tag.releaseFile == release.file ? nil : tag.releaseFile,
      destination: places.own.appendingPathComponent(release.file).path)
    throw WeightError.notFound(source)
  }

  private static func ownFiles(_ name: String, bareName: String?, in folder: URL) -> [URL] {
    let names =
      ["\(name).safetensors", "timm--\(name)/model.safetensors"]
      + (bareName.map { ["\($0).safetensors"] } ?? [])
    return names.map { folder.appendingPathComponent($0) }
  }

  /// A file of a repository in the hub's cache: in the snapshot that `main` meant when it was last
  /// fetched, else in the other snapshots, the newest first.
  private static func hubFiles(_ file: String, of repository: String, in hub: URL) -> [URL] {
    let folder = hub.appendingPathComponent(
      "models--" + repository.replacingOccurrences(of: "/", with: "--"))
    let snapshots = folder.appendingPathComponent("snapshots")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: snapshots.path)) ?? []
    let reference = folder.appendingPathComponent("refs/main")
    let main = (try? String(contentsOf: reference, encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let dated = names.map { name in
      let url = snapshots.appendingPathComponent(name)
      let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
      let date = attributes?[.modificationDate] as? Date ?? .distantPast
      return (name: name, rank: name == main ? Date.distantFuture : date)
    }
    return dated.sorted { ($0.rank, $0.name) > ($1.rank, $1.name) }
      .map { snapshots.appendingPathComponent($0.name).appendingPathComponent(file) }
  }

  /// A file of timm's releases, and what the user converted it to beside the original.
  private static func releaseFiles(_ release: String, in places: WeightPlaces) -> [URL] {
    let torch = places.torch.appendingPathComponent(release)
    return [
      torch.deletingPathExtension().appendingPathExtension("safetensors"),
      places.own.appendingPathComponent(release), torch,
    ]
  }

  /// The file of `keras.applications`, which has Google's weights of ImageNet-1k.
  private static func kerasFile(_ variant: Variant, _ tag: PretrainedTag) -> String? {
    let family = "tf_efficientnetv2_"
    guard tag.name == "in1k", variant.name.hasPrefix(family) else { return nil }
    return "efficientnetv2-\(variant.name.dropFirst(family.count)).h5"
  }

  /// Whether there is a file, not a folder; links are followed.
  private static func isFile(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }
}

/// The folders in which weights are looked for.
struct WeightPlaces {
  /// The program's own.
  let own: URL
  /// The cache of the Hugging Face hub.
  let hub: URL
  /// The cache of PyTorch's hub.
  let torch: URL
  /// The cache of Keras.
  let keras: URL

  /// Follows the environment variables of the four programs.
  init(environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = value("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path
    func folder(_ path: String) -> URL {
      let isInHome = path == "~" || path.hasPrefix("~/")
      return URL(fileURLWithPath: isInHome ? home + path.dropFirst() : path, isDirectory: true)
    }
    func folder(_ name: String, _ rest: String) -> URL? {
      value(name).map { folder($0).appendingPathComponent(rest, isDirectory: true) }
    }
    own =
      folder("WORKBENCH_HOME", "weights") ?? folder("~/.workbench/weights")
    hub =
      value("HF_HUB_CACHE").map(folder) ?? value("HUGGINGFACE_HUB_CACHE").map(folder)
      ?? folder("HF_HOME", "hub") ?? folder("XDG_CACHE_HOME", "huggingface/hub")
      ?? folder("~/.cache/huggingface/hub")
    torch =
      folder("TORCH_HOME", "hub/checkpoints") ?? folder("XDG_CACHE_HOME", "torch/hub/checkpoints")
      ?? folder("~/.cache/torch/hub/checkpoints")
    keras = folder("KERAS_HOME", "models") ?? folder("~/.keras/models")
  }
}
