print("load-dataset")
