print("compute-bottlenecks")
