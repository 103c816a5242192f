import Kernels
import Model

/// Dense convolutions with everything that is awkward: few and odd channels, images that no tile
/// covers, single pixels.
let raggedShapes: [ConvolutionShape] = [
  // Stem: three channels, stride 2, even and odd images, both paddings.
  shape(2, 16, 3, 24, 3, 2, .same), shape(1, 15, 3, 32, 3, 2, .same),
  shape(5, 11, 3, 24, 3, 2, .symmetric), shape(2, 14, 3, 16, 3, 1, .symmetric),
  shape(2, 33, 3, 32, 3, 2, .same), shape(1, 2, 3, 8, 3, 2, .same),
  // 3x3.
  shape(2, 9, 24, 24, 3, 1, .symmetric), shape(1, 7, 8, 40, 3, 1, .same),
  shape(5, 6, 24, 96, 3, 2, .same), shape(2, 9, 16, 64, 3, 2, .symmetric),
  shape(2, 10, 40, 16, 3, 2, .same), shape(1, 12, 32, 16, 3, 1, .same),
  shape(2, 8, 48, 192, 3, 1, .symmetric), shape(2, 13, 32, 128, 3, 2, .symmetric),
  shape(1, 1, 16, 48, 3, 1, .symmetric), shape(2, 2, 24, 32, 3, 2, .same),
  shape(2, 7, 10, 6, 3, 1, .symmetric), shape(1, 5, 6, 10, 3, 2, .same),
  shape(1, 9, 24, 40, 3, 2, .symmetric, width: 14), shape(1, 24, 16, 16, 3, 1, .symmetric),
  // 3x3 by tiles: whole ones and some that hang over, few and many, odd channels.
  shape(5, 4, 32, 64, 3, 1, .same), shape(3, 12, 24, 40, 3, 1, .symmetric),
  shape(2, 10, 40, 16, 3, 1, .same, width: 14), shape(2, 7, 16, 24, 3, 1, .same, width: 16),
  shape(1, 40, 18, 21, 3, 1, .symmetric, width: 8), shape(2, 64, 16, 16, 3, 1, .same),
  shape(2, 9, 72, 80, 3, 1, .same, width: 21), shape(1, 6, 18, 16, 3, 1, .same, width: 35),
  // 3x3 of stride 2 by tiles: both paddings, odd numbers of images and outputs, some that hang over.
  shape(3, 8, 16, 64, 3, 2, .same), shape(5, 8, 32, 40, 3, 2, .symmetric),
  shape(1, 16, 16, 33, 3, 2, .same), shape(2, 8, 48, 192, 3, 2, .symmetric, width: 16),
  shape(1, 8, 16, 32, 3, 2, .same, width: 78), shape(2, 8, 16, 48, 3, 2, .symmetric, width: 78),
  shape(7, 8, 80, 100, 3, 2, .same), shape(1, 76, 16, 32, 3, 2, .symmetric),
  shape(9, 32, 16, 64, 3, 2, .symmetric),
  // 1x1.
  shape(2, 9, 24, 96, 1, 1, .symmetric), shape(5, 3, 96, 24, 1, 1, .symmetric),
  shape(1, 1, 40, 10, 1, 1, .symmetric), shape(2, 1, 6, 40, 1, 1, .same),
  shape(1, 14, 64, 32, 1, 1, .same), shape(2, 6, 112, 672, 1, 1, .same),
  shape(3, 5, 200, 72, 1, 1, .same), shape(2, 8, 8, 8, 1, 2, .symmetric),
  shape(1, 13, 48, 192, 1, 1, .symmetric), shape(2, 4, 1, 1, 1, 1, .same),
  // Few pixels of very many channels, in one part and in several blocks.
  shape(3, 8, 24, 600, 1, 1, .symmetric), shape(3, 8, 600, 24, 1, 1, .symmetric),
  shape(2, 12, 16, 520, 3, 2, .same), shape(2, 9, 8, 470, 5, 1, .symmetric),
  // 5x5 and 7x7.
  shape(2, 8, 24, 40, 5, 1, .same), shape(1, 11, 8, 24, 5, 2, .same),
  shape(1, 9, 3, 16, 5, 2, .symmetric), shape(1, 9, 3, 24, 7, 2, .symmetric),
]

/// The same for depthwise ones.
let raggedDepthwiseShapes: [ConvolutionShape] = [
  shape(2, 9, 24, 24, 3, 1, .symmetric), shape(1, 7, 40, 40, 3, 1, .same),
  shape(5, 6, 96, 96, 3, 2, .same), shape(2, 9, 64, 64, 3, 2, .symmetric),
  shape(1, 1, 16, 16, 3, 1, .symmetric), shape(2, 2, 48, 48, 3, 2, .same),
  shape(3, 3, 10, 10, 3, 1, .symmetric), shape(2, 4, 3, 3, 3, 2, .same),
  shape(2, 8, 40, 40, 5, 1, .same), shape(1, 11, 24, 24, 5, 2, .same),
  shape(2, 2, 32, 32, 5, 1, .symmetric), shape(1, 10, 8, 8, 5, 2, .symmetric, width: 7),
  shape(2, 12, 200, 200, 3, 1, .same), shape(1, 19, 16, 16, 3, 1, .same),
  // Single pixels and squares of four, of many images and channels.
  shape(70, 1, 200, 200, 3, 1, .same), shape(33, 2, 330, 330, 5, 1, .symmetric),
  // Rows of whole runs of two or four pixels.
  shape(33, 2, 330, 330, 3, 1, .same), shape(7, 4, 72, 72, 3, 1, .symmetric),
  shape(3, 7, 20, 20, 3, 1, .same, width: 8), shape(2, 5, 40, 40, 3, 1, .symmetric, width: 10),
  // Maps of more pixels than lie in a first cache.
  shape(1, 24, 40, 40, 3, 1, .same), shape(2, 25, 24, 24, 5, 2, .same),
]

/// The distinct convolutions of all networks, as `bench convolutions` lists them, for two images of
/// 32 px. The few whose plain loops would take seconds are left to the networks' own tests.
struct NetworkShapes {
  private(set) var dense: [ConvolutionShape] = []
  private(set) var depthwise: [ConvolutionShape] = []

  static let all = NetworkShapes()

  private init() {
    var seen: [Bool: Set<ConvolutionShape>] = [:]
    for variant in Variant.all {
      guard let blueprint = try? Blueprint(variant, classCount: 2),
        let layers = try? blueprint.convolutionCases(batch: 2, inputSize: 32)
      else { preconditionFailure("\(variant.name) takes images of 32 px") }
      for layer in layers where layer.multiplyAdds <= 1 << 23 {
        guard seen[layer.isDepthwise, default: []].insert(layer.shape).inserted else { continue }
        if layer.isDepthwise { depthwise.append(layer.shape) } else { dense.append(layer.shape) }
      }
    }
  }
}

private enum Padding { case symmetric, same }

private func shape(
  _ batch: Int, _ size: Int, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ stride: Int,
  _ padding: Padding, width: Int? = nil
) -> ConvolutionShape {
  func axis(_ size: Int) -> (output: Int, pad: Int) {
    if padding == .symmetric {
      let pad = kernel / 2
      return ((size + 2 * pad - kernel) / stride + 1, pad)
    }
    let output = (size + stride - 1) / stride
    return (output, max(0, (output - 1) * stride + kernel - size) / 2)
  }
  let (rows, columns) = (axis(size), axis(width ?? size))
  return ConvolutionShape(
    batch: batch, inputHeight: size, inputWidth: width ?? size, inputChannels: inputs,
    outputHeight: rows.output, outputWidth: columns.output, outputChannels: outputs,
    kernel: kernel, stride: stride, padTop: rows.pad, padLeft: columns.pad)
}

extension ConvolutionShape {
  /// Whether the convolution reads normalised maps too.
  var readsMaps: Bool { kernel == 1 && stride == 1 && inputChannels != 9 }
}

func describe(_ s: ConvolutionShape) -> String {
  "\(s.batch)x\(s.inputHeight)x\(s.inputWidth)x\(s.inputChannels) -> \(s.outputHeight)x"
    + "\(s.outputWidth)x\(s.outputChannels) k\(s.kernel) s\(s.stride) p\(s.padTop)\(s.padLeft)"
}
