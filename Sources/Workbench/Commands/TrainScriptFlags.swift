/// Flags of train.py, the notebook's and timm's, that are no hyperparameters here, and what says the
/// same.
enum TrainScriptFlags {
  /// What to write instead of each flag; the names have dashes.
  static let hints: [String: String] = [
    "model": "'model' is an argument of load: load efficientnetv2_rw_s",
    "pretrained": "'pretrained' is a word of load: load efficientnetv2_rw_s pretrained",
    "num-classes": "the classes are an argument of load: load efficientnetv2_rw_s classes=10",
    "global-pool": "'global-pool' is an argument of load: load efficientnetv2_rw_s global-pool=max",
    "gp": "the pooling is an argument of load: load efficientnetv2_rw_s global-pool=max",
    "in-chans": "'in-chans' is an argument of load: load efficientnetv2_rw_s in-chans=1",
    "initial-checkpoint":
      "weights are an argument of load: load efficientnetv2_rw_s weights=model.safetensors",
    "resume": "'resume' is a command: resume RUN",
    "dataset": "the data set is an argument of data: data cifar10 dir=datasets",
    "data-dir": "the folder is an argument of data: data cifar10 dir=datasets",
    "dataset-download": "'download' is a word of data: data cifar10 dir=datasets download",
    "class-map": "'class-map' is an argument of data: data folder dir=flowers class-map=names.txt",
    "train-split":
      "data knows the training images: 'data folder' takes train/, val-fraction= sets some aside",
    "val-split":
      "data knows what validates: 'data folder' takes val/, val-fraction=0.1 sets some aside",
    "output":
      "the folder of the runs is an option of the program: workbench replay FILE --out FOLDER",
    "experiment": "a run is named by train: train name=first",
    "checkpoint-hist": "'keep-best' is how many of the best checkpoints stay, 'keep' of the latest",
    "recovery-interval": "'checkpoint-steps' is the interval of checkpoints within an epoch",
    "validation-batch-size": "evaluation chooses its own batches, which change no result",
    "bn-eps": "a batch norm's eps belongs to the network: tf_* have 1e-3, others 1e-5",
    "device": "everything is computed on the processor; 'threads' says on how many of its cores",
    "amp": "everything is computed in single precision",
    "channels-last": "images always lie with their channels last",
    "pin-mem": "nothing is copied to another device",
    "torchcompile": "everything is compiled ahead",
    "local-rank": "training runs in one process; 'threads' says on how many cores",
    "dist-bn": "training runs in one process, so there is nothing to join",
    "sync-bn": "training runs in one process, so there is nothing to join",
    "log-wandb": "every run writes metrics.csv and events.jsonl; 'plot' draws them",
  ]
}
