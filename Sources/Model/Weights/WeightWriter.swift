public import Foundation

/// Writes the weights of a network for other tools.
public enum WeightWriter {
  /// Replaces a file by a safetensors file of the network's tensors: timm's names and layouts, floats
  /// and 64-bit integers, so that timm loads it strictly.
  ///
  /// The order is that of Hugging Face's own library (integers first, then by name), so equal
  /// networks give equal files, and the same as `safetensors.torch.save_file` would write. The file
  /// is whole or absent, even after a crash.
  ///
  /// - Throws: `AtomicFile.Failure`.
  public static func write(_ network: Network, to url: URL) throws {
    let store = network.parameters
    let entries = store.table.entries.sorted {
      let counts = ($0.storage == .counters, $1.storage == .counters)
      return counts.0 == counts.1 ? $0.path < $1.path : counts.0
    }
    let tensors = entries.map { info in
      let values: SafeTensors.Source.Values
      switch info.storage {
      case .counters: values = .integer(store.counters[info.offset])
      case .weights, .buffers:
        let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
        values = .floats { info.layout.toTimm(base, to: $0, shape: info.shape) }
      }
      return SafeTensors.Source(name: info.path, shape: info.timmShape, values: values)
    }
    try AtomicFile.write(to: url) { descriptor in
      try SafeTensors.write(metadata: [("format", "pt")], tensors: tensors) {
        try AtomicFile.append($0, to: descriptor, path: url.path)
      }
    }
  }
}
