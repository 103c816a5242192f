import Foundation

@testable import Model

/// What other tools wrote, by Tests/Tools/make_weight_fixtures.py.
let weightFixtures = repository.appendingPathComponent("Tests/Fixtures/weights")

/// The folder of the package.
let repository = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
  url.deletingLastPathComponent()
}

extension TemporaryFolder {
  /// A place for a file.
  func file(_ name: String = "file.safetensors") -> URL { url.appending(path: name) }

  /// Writes a file, making the folders above it.
  @discardableResult
  func write(_ data: Data, to name: String = "file.safetensors") throws -> URL {
    let file = file(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return file
  }
}

/// A safetensors file of this header and these numbers.
func tensorFile(_ header: String, data: Data = Data()) -> Data {
  tensorFile(Data(header.utf8), data: data)
}

/// A safetensors file of this header and these numbers.
func tensorFile(_ header: Data, data: Data = Data()) -> Data {
  withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + data
}

/// One entry of a header.
func entry(_ name: String, _ type: String, _ shape: [Int], _ from: Int, _ to: Int) -> String {
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}"
}

/// A small network that is in no table, and files of its tensors.
enum TinyWeights {
  static let variant = TinyTraining.variant

  /// A network in which every tensor differs from a new one's, the statistics too.
  static func network(classes: Int = 10) throws -> Network {
    let network = try TinyTraining.network(classes: classes, seed: 3)
    let store = network.parameters
    for index in 0..<store.table.bufferExtent { store.buffers[index] += Float(index) / 7 }
    for index in 0..<store.table.counterCount { store.counters[index] = Int64(100 + index) }
    for info in store.table.entries where info.storage == .weights && !info.decays {
      for index in info.range { store.weights[index] += Float(index % 5) / 3 }
    }
    return network
  }

  /// One tensor on its way into a file.
  struct Tensor {
    var name: String
    var type: String
    var shape: [Int]
    var bytes: Data
  }

  /// The tensors of a network as they stand in a file.
  static func tensors(_ network: Network) -> [Tensor] {
    let store = network.parameters
    return store.table.entries.map { info in
      guard info.storage != .counters else {
        let value = store.counters[info.offset]
        return Tensor(
          name: info.path, type: "I64", shape: [], bytes: withUnsafeBytes(of: value) { Data($0) })
      }
      let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
      var values = [Float](repeating: 0, count: info.count)
      info.layout.toTimm(base, to: &values, shape: info.shape)
      return Tensor(
        name: info.path, type: "F32", shape: info.timmShape,
        bytes: values.withUnsafeBytes { Data($0) })
    }
  }

  /// A file of these tensors, in their order.
  static func data(_ tensors: [Tensor], metadata: String? = nil) -> Data {
    var entries = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
    var data = Data()
    for tensor in tensors {
      let end = data.count + tensor.bytes.count
      entries.append(entry(tensor.name, tensor.type, tensor.shape, data.count, end))
      data += tensor.bytes
    }
    return tensorFile("{\(entries.joined(separator: ","))}", data: data)
  }

  /// A file that has all tensors of a variant, full of zeros that take no room on the disk.
  static func writeZeros(
    of variant: Variant, classes: Int, to url: URL, names scheme: NamingScheme = .timm
  ) throws {
    let blueprint = try Blueprint(variant, classCount: classes)
    var entries: [String] = []
    var offset = 0
    for info in blueprint.parameters.entries {
      let isCounter = info.storage == .counters
      let shape = scheme.shapes(of: info, in: blueprint)[0]
      for name in scheme.names(of: info, in: blueprint) {
        let end = offset + shape.reduce(isCounter ? 8 : 4, *)
        entries.append(entry(name, isCounter ? "I64" : "F32", shape, offset, end))
        offset = end
      }
    }
    let start = tensorFile("{\(entries.joined(separator: ","))}")
    try start.write(to: url)
    let handle = try FileHandle(forWritingTo: url)
    try handle.truncate(atOffset: UInt64(start.count + offset))
    try handle.close()
  }
}

extension Network {
  /// The bits of everything that can be in a file, by name.
  var contents: [String: [UInt32]] {
    Dictionary(
      uniqueKeysWithValues: parameters.table.entries.map { info in
        (info.path, parameters.values(info).map(\.bitPattern))
      })
  }
}
