import Foundation
import Kernels

/// Adafactor (Shazeer and Stern, arXiv:1804.04235) as in timm: of the squared gradients of a large
/// matrix only the means of its rows and columns are remembered.
final class Adafactor: Optimizer {
  let slots: [OptimizerSlot]
  var updates = 0
  private let beta1: Double?
  private let epsilon: Double
  private let weightDecay: Double
  private let parameters: ParameterStore
  private let plan: FactoredUpdate

  init(beta1: Double?, epsilon: Double, weightDecay: Double, for target: UpdateTarget) {
    self.beta1 = beta1
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    parameters = target.parameters
    let table = target.parameters.table
    let memory = Self.memory(of: table)
    let offsets = memory.map { slot in
      Dictionary(uniqueKeysWithValues: slot.tensors.map { ($0.path, $0.offset) })
    }
    plan = FactoredUpdate(
      target.tensors.map { info, update in
        let matrices = Self.matrices(of: info)
        return FactoredUpdate.Tensor(
          update: update, matrices: matrices,
          rowMeans: offsets[matrices == nil ? 2 : 0][info.path] ?? 0,
          columnMeans: offsets[1][info.path] ?? 0)
      })
    slots = memory + (beta1 == nil ? [] : [OptimizerSlot(name: "mean", for: table)])
  }

  func step(learningRate: Double, pool: ThreadPool) -> Bool {
    guard parameters.hasFiniteGradients(pool) else { return false }
    updates += 1
    plan.run(
      FactoredUpdate.Buffers(
        weights: parameters.weights, gradients: parameters.gradients, rowMeans: slots[0].values,
        columnMeans: slots[1].values, squares: slots[2].values,
        means: beta1 == nil ? nil : slots[3].values),
      FactoredUpdate.Coefficients(
        share: pow(Double(updates), -0.8), epsilon: epsilon, decay: weightDecay,
        rate: learningRate, beta1: beta1),
      pool: pool)
    return true
  }

  /// The matrices of a tensor that is factored: those of a convolution's outputs and inputs, pixel by
  /// pixel, if both are more than 16, else those of the last two dimensions.
  private static func matrices(of info: ParameterInfo) -> FactoredUpdate.Matrices? {
    let isLarge = info.timmShape.count >= 2 && info.shape.suffix(2).allSatisfy { $0 > 16 }
    guard isLarge, info.layout != .depthwise else { return nil }
    let (rows, columns) = (info.shape[info.shape.count - 2], info.shape[info.shape.count - 1])
    return .init(count: info.count / (rows * columns), rows: rows, columns: columns)
  }

  /// The means of rows and of columns, and the mean squares of what is not factored.
  private static func memory(of table: ParameterTable) -> [OptimizerSlot] {
    shapes(of: table).map { OptimizerSlot(name: $0.name, $0.tensors) }
  }

  private static func shapes(
    of table: ParameterTable
  ) -> [(name: String, tensors: [(path: String, shape: [Int])])] {
    let weights = table.entries.filter { $0.storage == .weights }
    let factored = weights.compactMap { info in matrices(of: info).map { (info.path, $0) } }
    return [
      ("rows", factored.map { ($0, [$1.count, $1.rows]) }),
      ("columns", factored.map { ($0, [$1.count, $1.columns]) }),
      (
        "square",
        weights.filter { matrices(of: $0) == nil }.map { ($0.path, [$0.count]) }
      ),
    ]
  }

  /// The floats of the mean squares of a network.
  static func stateFloats(of table: ParameterTable) -> Int {
    shapes(of: table).flatMap(\.tensors).reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
