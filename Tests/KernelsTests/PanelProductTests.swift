import Testing

@testable import Kernels

/// The products that stand in for OpenBLAS's, against sums in double precision; every machine runs
/// them here, whichever of the two it uses.
@Suite struct PanelProductTests {
  struct Layout: Sendable, CustomTestStringConvertible {
    let transposesA: Bool
    let transposesB: Bool
    var testDescription: String { "\(transposesA ? "a'" : "a") \(transposesB ? "b'" : "b")" }
  }

  static let layouts = [
    Layout(transposesA: false, transposesB: false), Layout(transposesA: true, transposesB: false),
    Layout(transposesA: false, transposesB: true),
  ]

  @Test("sums of double precision", arguments: layouts, [false, true])
  func equalsPlainSums(layout: Layout, accumulate: Bool) {
    for (rows, columns, depth) in [
      (1, 1, 1), (3, 16, 255), (9, 48, 256), (10, 65, 257), (54, 17, 3), (57, 100, 40),
      (130, 64, 600), (7, 199, 12),
    ] {
      check(rows, columns, depth, layout, accumulate: accumulate)
    }
  }

  private func check(
    _ rows: Int, _ columns: Int, _ depth: Int, _ layout: Layout, accumulate: Bool
  ) {
    let memory = TestMemory()
    // Rows are farther apart than they are long; what lies between is none of the product's.
    func matrix(_ rows: Int, _ columns: Int, _ isTransposed: Bool, seed: UInt64)
      -> (values: GuardedFloats, operand: MatrixOperand)
    {
      let (high, wide) = isTransposed ? (columns, rows) : (rows, columns)
      let stride = wide + 3
      let values = memory.floats(uniform((high - 1) * stride + wide, seed: seed))
      return (
        values, MatrixOperand(base: values.reading, stride: stride, isTransposed: isTransposed)
      )
    }
    let (a, left) = matrix(rows, depth, layout.transposesA, seed: 1)
    let (b, right) = matrix(depth, columns, layout.transposesB, seed: 2)
    let stride = columns + 5
    let before = uniform((rows - 1) * stride + columns, seed: 3)
    let c = memory.floats(before)
    PanelProduct.run(
      rows: rows, columns: columns, depth: depth, left, right, accumulate: accumulate, c.base,
      stride: stride)
    var expected = before
    let (leftValues, rightValues) = (a.values, b.values)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = accumulate ? Double(before[row * stride + column]) : 0
        for k in 0..<depth {
          let x = layout.transposesA ? k * left.stride + row : row * left.stride + k
          let y = layout.transposesB ? column * right.stride + k : k * right.stride + column
          sum += Double(leftValues[x]) * Double(rightValues[y])
        }
        expected[row * stride + column] = Float(sum)
      }
    }
    // A sum of numbers below one is rounded once for each of them.
    let allowed = Float(depth + 1) * 6e-8 * max(1, Float(depth).squareRoot())
    let worst = zip(c.values, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= allowed, "\(rows) x \(columns) x \(depth): \(worst) of \(allowed)")
    #expect(a.isIntact && b.isIntact && c.isIntact)
    let after = c.values
    for row in 0..<rows - 1 {
      let gap = (row * stride + columns)..<(row + 1) * stride
      #expect(after[gap] == before[gap])
    }
  }
}
