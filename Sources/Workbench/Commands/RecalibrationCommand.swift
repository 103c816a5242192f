import DSL
import Foundation
import Model

// `recalibrate`: running statistics that fit the weights.

enum RecalibrationCommand {
  static let recalibrate = Command<WorkbenchState>(
    Signature(
      "recalibrate", group: "training",
      "Estimates the batch norms' running statistics anew, for the weights as they are.",
      discussion: """
        The statistics become the mean over so many batches of training images, each counting alike, \
        as PyTorch's update_bn has it; the weights stay. It serves averaged weights, weights of \
        another kind of images, and short trainings, whose statistics lag behind. The batches are \
        the first of a training with the present seed and batch-size, augmented but not mixed.

        The loaded network changes, and no checkpoint: 'checkpoint load RUN@best; recalibrate; eval' \
        shows what it is worth, 'save-weights FILE' keeps it.
        """,
      keys: [
        Parameter(
          "batches", .integer(.within(1...1_000_000)), "how many batches; an epoch has the most",
          default: "100")
      ],
      effect: .change, reads: [.slot("model"), .slot("data"), .slot("params.*")],
      writes: [.slot("model")],
      examples: [
        Example(
          "data digits; load tf_efficientnetv2_b0; set input-size=32; recalibrate batches=4",
          "four batches"),
        Example(
          "data digits limit=64; checkpoint load quickstart@last; set batch-size=8; recalibrate; eval",
          "the end of a run, all batches of an epoch"),
      ])
  ) { invocation, state in
    var model = try state.requireModel()
    let data = try state.requireData()
    let settings = state.settings(for: model)
    try settings.checkBatches(images: data.source.train.count)
    let recalibration = try NormRecalibration(
      model.network, settings: settings, pool: state.threadPool(settings.threads))
    let progress = state.console.progress
    progress.begin(total: invocation.integer("batches") ?? 100, label: "batches")
    defer { progress.finish() }
    let done = try recalibration.run(
      data.source.train, batches: invocation.integer("batches") ?? 100
    ) { done, _ in
      progress.update(done)
      return !state.mustStop
    }
    guard let done else { throw state.stopError }
    model.recalibration = done
    state.model = model
    state.console.note(
      "the running statistics are the mean over \(done) batches of \(settings.batchSize) images")
  }
}
