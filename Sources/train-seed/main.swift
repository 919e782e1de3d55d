print("train-seed")
