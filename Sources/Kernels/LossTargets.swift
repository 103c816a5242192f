/// What a loss compares each row of logits with: a class, or a mixture of two, smoothed over all.
///
/// The target of class c is (1 - smoothing) · (share · [c = label] + (1 - share) · [c = partner])
/// + smoothing / classes, as in timm with and without mixup.
public struct LossTargets {
  /// The class of each row: `[n]`.
  let labels: UnsafePointer<Int32>
  /// The second class of each row and how much the first one weighs: `[n]` each; nil for one class.
  let mixture: (partners: UnsafePointer<Int32>, shares: UnsafePointer<Float>)?
  /// The share that is spread over all classes.
  let smoothing: Float

  /// Targets of one class a row.
  public init(labels: UnsafePointer<Int32>, smoothing: Float) {
    self.labels = labels
    self.smoothing = smoothing
    mixture = nil
  }

  /// Targets that mix two classes.
  public init(
    labels: UnsafePointer<Int32>, partners: UnsafePointer<Int32>, shares: UnsafePointer<Float>,
    smoothing: Float
  ) {
    self.labels = labels
    self.smoothing = smoothing
    mixture = (partners, shares)
  }

  /// A row's classes and the share of the first.
  @inline(__always)
  func row(_ sample: Int, classes: Int) -> (label: Int, partner: Int, share: Float) {
    let label = Int(labels[sample])
    var partner = label
    var share: Float = 1
    if let mixture {
      partner = Int(mixture.partners[sample])
      share = mixture.shares[sample]
    }
    precondition(
      label >= 0 && label < classes && partner >= 0 && partner < classes,
      "a label is outside the classes")
    return (label, partner, share)
  }
}

/// How many rows of so many classes a thread takes at once.
func lossRows(_ classes: Int) -> Int { max(1, 4_096 / classes) }
