public import Foundation

extension WeightFile {
  /// Opens a file of weights, whatever its kind: the kind is recognised by the contents.
  ///
  /// Also taken are a folder with such a file (a snapshot of the Hugging Face hub, a TensorFlow
  /// checkpoint), the index of a sharded safetensors file, and any file of a TensorFlow checkpoint or
  /// the name that its files have in common.
  ///
  /// - Throws: `WeightError`.
  public static func open(_ url: URL) throws -> WeightFile {
    if url.lastPathComponent.hasSuffix(".safetensors.index.json") { return try shards(url) }
    if let index = tensorFlowIndex(url) { return try tensorFlow(index) }
    let mapping: MappedFile
    do throws(MappedFile.Failure) {
      mapping = try MappedFile(url)
    } catch .isDirectory {
      return try inside(url)
    } catch {
      throw WeightError.unreadable(url.path, reason: error.reason)
    }
    guard !mapping.bytes.isEmpty else { throw WeightError.empty(url.path) }
    let isSafeTensors = mapping.bytes.count > 8 && mapping.bytes[8] == UInt8(ascii: "{")
    guard !isSafeTensors,
      let format = ForeignFormat(mapping.bytes, name: url.lastPathComponent)
    else { return try safeTensors(url) }
    guard let container = format.container else {
      throw WeightError.foreignFormat(url.path, format)
    }
    do {
      return try read(mapping, container, url)
    } catch {
      throw WeightError.damagedContainer(url.path, container, error)
    }
  }

  /// Reads a file that is in memory already.
  static func read(
    _ file: MappedFile, _ container: WeightContainer, _ url: URL
  ) throws(ContainerProblem) -> WeightFile {
    switch container {
    case .torchZip:
      let contents = try TorchFile.zip(ZipArchive(file))
      return try WeightFile(url, container, contents.tensors, notes: contents.notes)
    case .torchLegacy:
      let contents = try TorchFile.legacy(file)
      return try WeightFile(url, container, contents.tensors, notes: contents.notes)
    case .numpyArchive:
      return try WeightFile(url, container, NumPyFile.archive(ZipArchive(file)))
    case .numpyArray: return try WeightFile(url, container, NumPyFile.array(file))
    case .hdf5: return try WeightFile(url, container, HDF5File.tensors(file))
    case .tensorFlow, .safeTensors, .safeTensorsShards:
      preconditionFailure("these are opened by their names")
    }
  }

  // MARK: safetensors

  private static func safeTensors(_ url: URL) throws -> WeightFile {
    try assembled(url, .safeTensors) { open in
      let file = try open(url)
      return (try tensors(of: file), file.metadata)
    }
  }

  /// A file cut in pieces, with an index in JSON that says which tensor is in which.
  private static func shards(_ url: URL) throws -> WeightFile {
    struct Index: Decodable {
      let weight_map: [String: String]
    }
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw WeightError.unreadable(url.path, reason: plainReason(of: error))
    }
    guard let index = try? JSONDecoder().decode(Index.self, from: data) else {
      throw WeightError.damagedContainer(
        url.path, .safeTensorsShards,
        .malformed("no 'weight_map' with a file for each tensor", offset: 0))
    }
    let names = Set(index.weight_map.values).sorted()
    guard let odd = names.first(where: { $0.contains("/") || $0.hasPrefix(".") }) else {
      return try assembled(url, .safeTensorsShards) { open in
        var all: [WeightTensor] = []
        for name in names {
          let file = try open(url.deletingLastPathComponent().appendingPathComponent(name))
          all += try tensors(of: file)
        }
        let present = Set(all.map(\.name))
        if let absent = index.weight_map.keys.sorted().first(where: { !present.contains($0) }) {
          throw ContainerProblem.absent("'\(absent)', which the index lists,")
        }
        return (all, [:])
      }
    }
    // The pieces lie beside their index: anything else is no business of a file of weights.
    throw WeightError.damagedContainer(
      url.path, .safeTensorsShards, .unsupported("its index leads to another folder: '\(odd)'"))
  }

  private static func assembled(
    _ url: URL, _ container: WeightContainer,
    _ body: ((URL) throws -> SafeTensors.File) throws -> ([WeightTensor], [String: String])
  ) throws -> WeightFile {
    do {
      let (tensors, metadata) = try body { try SafeTensors.File(contentsOf: $0) }
      return try WeightFile(url, container, tensors, metadata: metadata)
    } catch let problem as ContainerProblem {
      throw WeightError.damagedContainer(url.path, container, problem)
    }
  }

  private static func tensors(
    of file: SafeTensors.File
  ) throws(ContainerProblem) -> [WeightTensor] {
    var tensors: [WeightTensor] = []
    for tensor in file.tensors {
      tensors.append(
        try WeightTensor(
          tensor.name, tensor.type, tensor.shape, .mapped(file.mapping, file.place(tensor))))
    }
    return tensors
  }

  // MARK: TensorFlow

  /// The index of the checkpoint that a name belongs to; nil when it belongs to none.
  private static func tensorFlowIndex(_ url: URL) -> URL? {
    let name = url.lastPathComponent
    let base = name.range(of: ".data-").map { String(name[..<$0.lowerBound]) }
    let folder = url.deletingLastPathComponent()
    if let base, isFile(folder.appendingPathComponent(base + ".index")) {
      return folder.appendingPathComponent(base + ".index")
    }
    if name.hasSuffix(".index"), isFile(url) { return url }
    let index = folder.appendingPathComponent(name + ".index")
    return !isFile(url) && isFile(index) ? index : nil
  }

  private static func tensorFlow(_ index: URL) throws -> WeightFile {
    let base = index.deletingPathExtension().lastPathComponent
    let folder = index.deletingLastPathComponent()
    do {
      let file = try MappedFile(index)
      guard !file.bytes.isEmpty else { throw WeightError.empty(index.path) }
      var checkpoint = TensorFlowCheckpoint(index: file) { number, count in
        let digits = { (value: Int) in
          String(repeating: "0", count: max(0, 5 - String(value).count)) + String(value)
        }
        let name = "\(base).data-\(digits(number))-of-\(digits(count))"
        return try? MappedFile(folder.appendingPathComponent(name))
      }
      return try WeightFile(index, .tensorFlow, checkpoint.tensors())
    } catch let failure as MappedFile.Failure {
      throw WeightError.unreadable(index.path, reason: failure.reason)
    } catch let problem as ContainerProblem {
      throw WeightError.damagedContainer(index.path, .tensorFlow, problem)
    }
  }

  // MARK: Folders

  /// The file of weights in a folder that was given in its place.
  private static func inside(_ folder: URL) throws -> WeightFile {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    let known = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"]
    if let name = known.first(where: names.contains) {
      return try open(folder.appendingPathComponent(name))
    }
    for ending in [".safetensors", ".index", ".h5", ".npz", ".npy", ".pth", ".pt"] {
      let found = names.filter { $0.hasSuffix(ending) }
      if found.count == 1 { return try open(folder.appendingPathComponent(found[0])) }
      if found.count > 1 {
        throw WeightError.directory(folder.path, contents: .several(Array(found.prefix(3))))
      }
    }
    let isSavedModel = names.contains("saved_model.pb")
    throw WeightError.directory(folder.path, contents: isSavedModel ? .savedModel : .other)
  }

  private static func isFile(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }
}
