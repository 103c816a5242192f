/// Adafactor (Shazeer and Stern, arXiv:1804.04235) with a learning rate from outside, as timm has it.
///
/// Of the squared gradients of a large matrix only the means of rows and columns are remembered: the
/// mean square of an element is taken for row · column / mean of all. The step is the gradient over
/// the root of that, shortened where its root mean square is above 1.
///
/// A tensor is some matrices of equal size, one behind the other. Work is cut into blocks of whole
/// rows by the sizes alone, and sums run in a fixed order, so that bits never depend on the number of
/// threads. SAFETY: as for `TensorBlocks`.
public final class FactoredUpdate {
  /// A tensor and where its means lie.
  public struct Tensor {
    /// How the tensor takes part.
    public let update: TensorUpdate
    /// Its matrices; nil where each element has a mean square of its own.
    public let matrices: Matrices?
    /// The place of the first mean of a row or, without matrices, of the first mean square.
    public let rowMeans: Int
    /// The place of the first mean of a column.
    public let columnMeans: Int

    /// Describes a tensor.
    public init(update: TensorUpdate, matrices: Matrices?, rowMeans: Int, columnMeans: Int) {
      self.update = update
      self.matrices = matrices
      self.rowMeans = rowMeans
      self.columnMeans = columnMeans
    }
  }

  /// The matrices that a tensor consists of.
  public struct Matrices: Sendable, Equatable {
    /// How many there are.
    public let count: Int
    /// The rows of each.
    public let rows: Int
    /// The columns of each.
    public let columns: Int

    /// So many matrices of [rows, columns].
    public init(count: Int, rows: Int, columns: Int) {
      self.count = count
      self.rows = rows
      self.columns = columns
    }
  }

  /// The flat buffers of a step.
  public struct Buffers {
    let weights: UnsafeMutablePointer<Float>
    let gradients: UnsafePointer<Float>
    let rowMeans: UnsafeMutablePointer<Float>
    let columnMeans: UnsafeMutablePointer<Float>
    let squares: UnsafeMutablePointer<Float>
    let means: UnsafeMutablePointer<Float>?

    /// Takes the pointers to the beginnings; `means` holds the means of the steps, if there are any.
    public init(
      weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
      rowMeans: UnsafeMutablePointer<Float>, columnMeans: UnsafeMutablePointer<Float>,
      squares: UnsafeMutablePointer<Float>, means: UnsafeMutablePointer<Float>?
    ) {
      self.weights = weights
      self.gradients = gradients
      self.rowMeans = rowMeans
      self.columnMeans = columnMeans
      self.squares = squares
      self.means = means
    }
  }

  /// The numbers of a step.
  public struct Coefficients {
    /// How far the mean squares move to the new squares.
    public var share: Double
    /// What is added to a square.
    public var epsilon: Double
    /// Weight decay.
    public var decay: Double
    /// The learning rate.
    public var rate: Double
    /// How much of the mean of the steps stays; nil where there is none.
    public var beta1: Double?

    /// Takes the numbers of a step.
    public init(share: Double, epsilon: Double, decay: Double, rate: Double, beta1: Double?) {
      self.share = share
      self.epsilon = epsilon
      self.decay = decay
      self.rate = rate
      self.beta1 = beta1
    }
  }

  /// Some rows of one matrix, or a part of a tensor without matrices, whose "row" is the part.
  private struct Block {
    let tensor: Int
    let start: Int
    let rows: Int
    let columns: Int
    /// The place of the first row's mean, or of the first mean square.
    let means: Int
    /// Where the sums of its columns go; nil without matrices.
    let partial: Int?
    /// The first factor of its columns.
    let factors: Int
  }

  /// One matrix: the blocks it is cut into, and where its columns' means and factors lie.
  private struct Matrix {
    let blocks: Range<Int>
    let rows: Int
    let columns: Int
    let means: Int
    let factors: Int
  }

  private let tensors: [Tensor]
  private var blocks: [Block] = []
  private var matrices: [Matrix] = []
  private let columnSums: FloatBuffer
  private let columnFactors: FloatBuffer
  private let partials: UnsafeMutablePointer<Double>
  private let sums: UnsafeMutablePointer<Double>

  /// Plans the update of some tensors.
  public init(_ tensors: [Tensor]) {
    self.tensors = tensors
    var partialExtent = 0
    var factorExtent = 0
    for (index, tensor) in tensors.enumerated() {
      let range = tensor.update.range
      guard let shape = tensor.matrices else {
        for start in stride(from: 0, to: range.count, by: Self.blockSize) {
          blocks.append(
            Block(
              tensor: index, start: range.lowerBound + start, rows: 1,
              columns: min(Self.blockSize, range.count - start), means: tensor.rowMeans + start,
              partial: nil, factors: 0))
        }
        continue
      }
      let step = max(1, Self.blockSize / shape.columns)
      for matrix in 0..<shape.count {
        let first = blocks.count
        for row in stride(from: 0, to: shape.rows, by: step) {
          let place = matrix * shape.rows + row
          blocks.append(
            Block(
              tensor: index, start: range.lowerBound + place * shape.columns,
              rows: min(step, shape.rows - row), columns: shape.columns,
              means: tensor.rowMeans + place, partial: partialExtent, factors: factorExtent))
          partialExtent += shape.columns
        }
        matrices.append(
          Matrix(
            blocks: first..<blocks.count, rows: shape.rows, columns: shape.columns,
            means: tensor.columnMeans + matrix * shape.columns, factors: factorExtent))
        factorExtent += shape.columns
      }
    }
    columnSums = FloatBuffer(count: partialExtent)
    columnFactors = FloatBuffer(count: factorExtent)
    partials = .allocate(capacity: max(1, blocks.count))
    partials.initialize(repeating: 0, count: max(1, blocks.count))
    sums = .allocate(capacity: max(1, tensors.count))
    sums.initialize(repeating: 0, count: max(1, tensors.count))
  }

  deinit {
    partials.deallocate()
    sums.deallocate()
  }

  private static let blockSize = 16_384

  /// One step.
  public func run(_ buffers: Buffers, _ numbers: Coefficients, pool: ThreadPool) {
    let (blocks, matrices, tensors) = (self.blocks, self.matrices, self.tensors)
    let (columnSums, columnFactors) = (self.columnSums.base, self.columnFactors.base)
    let (partials, sums) = (self.partials, self.sums)
    let share = Float(numbers.share)
    let epsilon = Float(numbers.epsilon)

    pool.run(blocks.count) { index in
      let block = blocks[index]
      guard let partial = block.partial else { return }
      let target = columnSums + partial
      target.update(repeating: 0, count: block.columns)
      for row in 0..<block.rows {
        let gradients = buffers.gradients + (block.start + row * block.columns)
        let sum = SquaredRow(gradients: gradients, epsilon: epsilon, columns: target)
          .total(block.columns)
        let mean = buffers.rowMeans + (block.means + row)
        mean.pointee += share * (sum / Float(block.columns) - mean.pointee)
      }
    }
    pool.run(matrices.count) { index in
      let matrix = matrices[index]
      let means = buffers.columnMeans + matrix.means
      let factors = columnFactors + matrix.factors
      factors.update(repeating: 0, count: matrix.columns)
      for block in blocks[matrix.blocks] {
        AddedColumns(target: factors, source: columnSums + (block.partial ?? 0))
          .cover(matrix.columns)
      }
      var total = 0.0
      for column in 0..<matrix.columns {
        means[column] += share * (factors[column] / Float(matrix.rows) - means[column])
        total += Double(means[column])
      }
      let mean = Float(total / Double(matrix.columns))
      for column in 0..<matrix.columns {
        factors[column] = (mean / means[column]).squareRoot()
      }
    }
    pool.run(blocks.count) { index in
      let block = blocks[index]
      var total = 0.0
      for row in 0..<block.rows {
        let gradients = buffers.gradients + (block.start + row * block.columns)
        if block.partial == nil {
          total += Double(
            SquaredMove(
              gradients: gradients, squares: buffers.squares + block.means, share: share,
              epsilon: epsilon
            ).total(block.columns))
        } else {
          let factor = 1 / buffers.rowMeans[block.means + row].squareRoot()
          total += Double(
            SquaredStep(
              gradients: gradients, factors: columnFactors + block.factors, factor: factor
            ).total(block.columns))
        }
      }
      partials[index] = total
    }
    for tensor in tensors.indices { sums[tensor] = 0 }
    for (index, block) in blocks.enumerated() { sums[block.tensor] += partials[index] }
    pool.run(blocks.count) { index in
      let block = blocks[index]
      let update = tensors[block.tensor].update
      let root = (sums[block.tensor] / Double(update.range.count)).squareRoot()
      let rate = numbers.rate * update.rateScale
      let keep = Float(1 - (update.decays ? numbers.decay * rate : 0))
      for row in 0..<block.rows {
        let start = block.start + row * block.columns
        let move = FactoredMove(
          weights: buffers.weights + start, gradients: buffers.gradients + start,
          means: buffers.means.map { $0 + start }, meanShare: Float(1 - (numbers.beta1 ?? 0)),
          keep: keep, rate: Float(rate / max(1, root)),
          rowFactor: block.partial == nil
            ? 1 : 1 / buffers.rowMeans[block.means + row].squareRoot(),
          factors: block.partial == nil ? nil : columnFactors + block.factors,
          squares: buffers.squares + (block.partial == nil ? block.means : 0))
        move.cover(block.columns)
      }
    }
  }
}

/// A sum over neighbouring numbers: 16 lanes at a time, then single ones.
private protocol LaneSum {
  func value<L: Lanes>(_: L.Type, at index: Int) -> L
}

extension LaneSum {
  @inline(__always)
  func total(_ count: Int) -> Float {
    var sum = Vector.zero
    var index = 0
    while index &+ 16 <= count {
      sum += value(Vector.self, at: index)
      index &+= 16
    }
    var rest: Float = 0
    while index < count {
      rest += value(Float.self, at: index)
      index &+= 1
    }
    return sum.sum() + rest
  }
}

/// The squares of a row of gradients, which are added to the sums of the columns too.
private struct SquaredRow: LaneSum {
  let gradients: UnsafePointer<Float>
  let epsilon: Float
  let columns: UnsafeMutablePointer<Float>

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at i: Int) -> L {
    let gradient = L.load(gradients + i)
    let square = L.fma(gradient, gradient, L(splat: epsilon))
    (L.load(columns + i) + square).store(columns + i)
    return square
  }
}

private struct AddedColumns: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let source: UnsafePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    (L.load(target + i) + L.load(source + i)).store(target + i)
  }
}

/// The squares of the steps of a row, from the factors of rows and columns.
private struct SquaredStep: LaneSum {
  let gradients: UnsafePointer<Float>
  let factors: UnsafePointer<Float>
  let factor: Float

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at i: Int) -> L {
    let step = L.load(gradients + i) * (L.load(factors + i) * L(splat: factor))
    return step * step
  }
}

/// The squares of the steps of elements that have mean squares of their own, which move on.
private struct SquaredMove: LaneSum {
  let gradients: UnsafePointer<Float>
  let squares: UnsafeMutablePointer<Float>
  let share: Float
  let epsilon: Float

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at i: Int) -> L {
    let gradient = L.load(gradients + i)
    let old = L.load(squares + i)
    let target = L.fma(gradient, gradient, L(splat: epsilon))
    let square = L.fma(target - old, L(splat: share), old)
    square.store(squares + i)
    return gradient * gradient / square
  }
}

private struct FactoredMove: ChannelGroup {
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafePointer<Float>
  let means: UnsafeMutablePointer<Float>?
  let meanShare: Float
  let keep: Float
  let rate: Float
  let rowFactor: Float
  let factors: UnsafePointer<Float>?
  let squares: UnsafePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let gradient = L.load(gradients + i)
    var move: L
    if let factors {
      move = gradient * (L.load(factors + i) * L(splat: rowFactor))
    } else {
      move = gradient / L.load(squares + i).root
    }
    move = move * L(splat: rate)
    if let means {
      let old = L.load(means + i)
      move = L.fma(move - old, L(splat: meanShare), old)
      move.store(means + i)
    }
    (L.load(weights + i) * L(splat: keep) - move).store(weights + i)
  }
}
