public import Kernels
public final class FoldedNetwork {
  let graph: TrainingGraph
  public init(_ network: Network, maxBatch: Int, inputSize: Int, pool: ThreadPool) throws {
    graph = try TrainingGraph(network, batch: maxBatch, inputSize: inputSize, pool: pool)
  }
  public func refresh() {}
  public var input: UnsafeMutablePointer<Float> { graph.input }
  public func run(batch: Int) -> UnsafePointer<Float> { UnsafePointer(graph.logits) }
}
