print("fine-tune")
