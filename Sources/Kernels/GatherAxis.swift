/// One axis (rows or columns) of a convolution or of a phase of its transpose: target i reads the
/// sources step * i + offset of each tap.
struct GatherAxis {
  /// A kernel tap: its index along the axis, and where it reads from the first target.
  struct Tap {
    let index: Int
    let offset: Int
  }

  let step: Int
  let sourceCount: Int
  /// The kernel taps that are used.
  let taps: [Tap]
  /// The targets along the axis.
  let targets: [Int]

  /// The axis of a forward convolution.
  static func forward(outputs: Int, inputs: Int, kernel: Int, stride: Int, pad: Int) -> Self {
    Self(
      step: stride, sourceCount: inputs,
      taps: (0..<kernel).map { Tap(index: $0, offset: $0 - pad) }, targets: Array(0..<outputs))
  }

  /// The axis of one phase of the transposed convolution: the inputs phase, phase + stride, ...
  /// are reached by the same taps.
  static func backward(
    outputs: Int, inputs: Int, kernel: Int, stride: Int, pad: Int, phase: Int
  ) -> Self {
    let taps = (0..<kernel).filter { (phase + pad - $0) % stride == 0 }
    return Self(
      step: 1, sourceCount: outputs,
      taps: taps.map { Tap(index: $0, offset: (phase + pad - $0) / stride) },
      targets: Array(Swift.stride(from: phase, to: inputs, by: stride)))
  }

  /// The source of the i-th target's tap, or nil in the padding.
  private func source(_ i: Int, _ tap: Tap) -> Int? {
    let source = step * i + tap.offset
    return (0..<sourceCount).contains(source) ? source : nil
  }

  /// sources[i * taps.count + tap]: the source index, or nil in the padding.
  var sources: [Int?] { targets.indices.flatMap { i in taps.map { source(i, $0) } } }

  /// The zeros that its taps meet.
  var margin: PaddedPlane.Margin {
    var margin = PaddedPlane.Margin()
    for tap in taps where !targets.isEmpty {
      margin.before = max(margin.before, -tap.offset)
      margin.behind = max(
        margin.behind, step * (targets.count - 1) + tap.offset - (sourceCount - 1))
    }
    return margin
  }

  /// The taps that meet anything but zeros.
  var usefulTaps: [Tap] {
    taps.filter { tap in targets.indices.contains { source($0, tap) != nil } }
  }
}

extension ConvolutionShape {
  /// From the input to the output.
  var forwardAxes: (rows: GatherAxis, columns: GatherAxis) {
    (
      .forward(
        outputs: outputHeight, inputs: inputHeight, kernel: kernel, stride: stride, pad: padTop),
      .forward(
        outputs: outputWidth, inputs: inputWidth, kernel: kernel, stride: stride, pad: padLeft)
    )
  }

  /// From the output's gradient to the input's, a pair for each phase of the stride.
  var backwardAxes: [(rows: GatherAxis, columns: GatherAxis)] {
    (0..<stride).flatMap { row in
      (0..<stride).map { column in
        (
          .backward(
            outputs: outputHeight, inputs: inputHeight, kernel: kernel, stride: stride,
            pad: padTop, phase: row),
          .backward(
            outputs: outputWidth, inputs: inputWidth, kernel: kernel, stride: stride,
            pad: padLeft, phase: column)
        )
      }
    }
  }
}
