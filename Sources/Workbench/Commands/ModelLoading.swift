import DSL
import Foundation
import Model
import Synchronization

/// Builds networks for `load`.
enum ModelLoading {
  /// A network with new weights, or those of a file.
  ///
  /// - Parameters:
  ///   - pooling: how the network is to pool; nil for what the file says, else the mean.
  ///   - channels: of the images; nil for those that the file's network takes, else three.
  ///   - sha256: what the file's digest must be; nil for anything.
  static func load(
    _ variant: Variant, pooling: GlobalPooling?, channels: Int?, file: URL?,
    classes: LoadedModel.Classes, strict: Bool, sha256: String?,
    _ state: WorkbenchState
  ) throws -> LoadedModel {
    let seed = state.seed
    var variant = try pooling.map(variant.pooled) ?? variant
    variant = try channels.map(variant.taking) ?? variant
    guard let file else {
      let count: Int
      switch classes {
      case .auto: count = state.data?.classCount ?? variant.defaultClassCount
      case .count(let wanted): count = wanted
      case .keep: count = variant.defaultClassCount
      }
      let network = Network(try Blueprint(variant, classCount: count), seed: seed)
      return LoadedModel(
        variant: variant, network: network, classes: classes, weights: .scratch(seed: seed))
    }
    let opened = try WeightFile.open(file)
    // The digest takes longer than the reading.
    let known = DigestCache(file: HomeFolder.digests)
    let hashing = Background { try opened.sha256(knownBy: known) }
    if pooling == nil, variant.shape != nil, let own = opened.pooling?.ifNotMean {
      variant = try variant.pooled(by: own)
      state.console.note("the network pools as the file says: global-pool=\(own.rawValue)")
    }
    if channels == nil, let own = opened.inputChannels(of: variant), own != 3 {
      variant = try variant.taking(channels: own)
      state.console.note("the network of the file takes images of other channels: in-chans=\(own)")
    }
    func digest() throws -> String {
      let digest = try hashing.value()
      if let sha256, sha256.lowercased() != digest {
        throw CommandError(
          "\(opened.url.path) has the SHA-256 \(digest), expected \(sha256)",
          hint: "it is not the file that the script was written with", argument: "sha256",
          exitCode: 7)
      }
      return digest
    }
    let head: HeadPolicy
    switch classes {
    case .keep: head = .keep
    case .count(let count): head = .resize(classCount: count)
    case .auto: head = state.data.map { .resize(classCount: $0.classCount) } ?? .follow
    }
    let loaded: (network: Network, report: LoadReport)
    do {
      loaded = try WeightLoader.load(
        variant, from: opened, head: head, seed: seed, strict: strict, digest: digest)
    } catch {
      // That it is another file altogether says more than what does not fit.
      _ = try digest()
      throw error
    }
    state.console.note(WeightReport.loading(loaded.report))
    loaded.report.warnings.forEach(state.console.warn)
    return LoadedModel(
      variant: variant, network: loaded.network, classes: classes,
      weights: .file(opened.url, sha256: try digest()))
  }
}

/// A result that is computed on a thread of its own.
private final class Background<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let isDone = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async { [self] in
      let outcome = Result(catching: body)
      result.withLock { $0 = outcome }
      isDone.signal()
    }
  }

  /// Waits for the result; may be asked again.
  func value() throws -> Value {
    isDone.wait()
    isDone.signal()
    guard let outcome = result.withLock({ $0 }) else { preconditionFailure("the body ended") }
    return try outcome.get()
  }
}
