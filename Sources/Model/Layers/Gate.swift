internal import Kernels

/// What scales each channel of a block's filtered map, computed from the map itself.
enum Gate {
  case squeezeExcitation(SqueezeExcitation)
  case globalContext(GlobalContext)

  init(_ unit: GateUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    if let context = unit.context {
      self = .globalContext(GlobalContext(unit, context, input: input, &planner))
    } else {
      self = .squeezeExcitation(SqueezeExcitation(unit, input: input, &planner))
    }
  }

  /// Where the gates are, [images, channels].
  var gates: TensorSlot {
    switch self {
    case .squeezeExcitation(let gate): gate.saved.gate
    case .globalContext(let gate): gate.saved.gate
    }
  }

  /// Computes the gates of the input.
  func forward(input: NormalizedMap, _ context: LayerContext) {
    switch self {
    case .squeezeExcitation(let gate): gate.forward(input: input, context)
    case .globalContext(let gate): gate.forward(input: input, context)
    }
  }

  /// Adds the gradients of the gate's weights. Turns `gradient`, that of the gated map, into that of
  /// the argument of the norm in front, or says how that is computed from it; the sums are joined.
  func backward(
    through front: TrainingNorm, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) -> ArgumentGradient {
    switch self {
    case .squeezeExcitation(let gate):
      return gate.backward(through: front, gradient: gradient, context)
    case .globalContext(let gate):
      gate.backward(through: front, gradient: gradient, context)
      return .stored(gradient)
    }
  }
}
