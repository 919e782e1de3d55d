print("grow")
