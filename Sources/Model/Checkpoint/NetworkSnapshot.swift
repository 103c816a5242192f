public import Foundation

/// The values of all of a network's tensors in a file, for a state that may be returned to.
///
/// The file has the form of a checkpoint without a training: safetensors under timm's keys, guarded
/// by a digest.
public enum NetworkSnapshot {
  /// Writes the values of a network, replacing the file durably.
  /// - Throws: what the file system refuses.
  public static func write(_ network: Network, to url: URL) throws {
    try SealedTensorFile.write(
      description: "network", tensors: Checkpoint.sources(network.parameters), to: url)
  }

  /// A network with the values of a file.
  ///
  /// - Parameter blueprint: that of the network that was written.
  /// - Throws: `CheckpointError`.
  public static func read(_ url: URL, _ blueprint: Blueprint) throws -> Network {
    let network = Network(uninitialized: blueprint)
    try Checkpoint.restore(SealedTensorFile(contentsOf: url), into: network.parameters, prefix: "")
    return network
  }
}
